package org.diffusionrpo.rpo.train;

import org.diffusionrpo.rpo.data.DecodedPair;

/**
 * A decoded pair with cropped pictures: what waits to be encoded is small however large the pictures are.
 *
 * @param whole with the pictures in full size, for a scorer; null where there is none
 */
record PreparedPair(PreparedImage winner, PreparedImage loser, DecodedPair whole) {
  static PreparedPair of(DecodedPair pair, int resolution, View view, Relabelling relabelling) {
    return new PreparedPair(PreparedImage.of(pair.winner(), resolution, view),
        PreparedImage.of(pair.loser(), resolution, view), relabelling == null ? null : pair);
  }
}
