/**
 * Golden numbers from libtorch, in float64, for the tests of the other modules. Compiled and run only in the Maven
 * profile {@code oracle}; see {@link org.diffusionrpo.bench.oracle.GenerateGoldens}.
 */
package org.diffusionrpo.bench.oracle;
