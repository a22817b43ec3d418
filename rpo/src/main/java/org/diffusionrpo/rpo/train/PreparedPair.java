package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.DecodedPair;

/**
 * A decoded pair with cropped pictures: what waits to be encoded is small however large the pictures are.
 *
 * @param judgedWinner what a scorer looks at of the whole winner; null where there is no scorer
 * @param judgedLoser likewise of the loser
 */
record PreparedPair(PreparedImage winner, PreparedImage loser, RgbImage judgedWinner, RgbImage judgedLoser) {
  static PreparedPair of(DecodedPair pair, int resolution, View view, Relabelling relabelling) {
    return new PreparedPair(PreparedImage.of(pair.winner(), resolution, view),
        PreparedImage.of(pair.loser(), resolution, view),
        relabelling == null ? null : relabelling.scorer().prepare(pair.winner()),
        relabelling == null ? null : relabelling.scorer().prepare(pair.loser()));
  }
}
