package org.diffusionrpo.rpo.data;

import org.diffusionrpo.diffusion.image.RgbImage;

/** A pair with both of its pictures decoded. */
public record DecodedPair(PreferencePair pair, RgbImage winner, RgbImage loser) implements DecodedEntry {}
