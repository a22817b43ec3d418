/**
 * The networks of Stable Diffusion on libtorch, as an oracle for the product's: golden numbers in float64 for the tests
 * of the other modules ({@link org.diffusionrpo.bench.oracle.GenerateGoldens}), and comparisons at full size. Compiled
 * and run only in the Maven profile {@code oracle}.
 */
package org.diffusionrpo.bench.oracle;
