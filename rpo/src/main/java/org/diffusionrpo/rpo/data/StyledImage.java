package org.diffusionrpo.rpo.data;

/**
 * One concept drawn in one style.
 *
 * @param concept code points of the emoji in hexadecimal, joined by '-', such as {@code 1f600}
 * @param style one of google, twitter, fluent, openmoji, sketch
 * @param caption English name of the concept, equal for all its styles; never names the style
 * @param png an encoded picture
 */
public record StyledImage(String concept, String style, String caption, Split split, byte[] png) {}
