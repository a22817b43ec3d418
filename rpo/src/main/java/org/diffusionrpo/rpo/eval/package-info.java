/** Measures of alignment: distances between image sets, a style classifier, and honest statistics over seeds. */
package org.diffusionrpo.rpo.eval;
