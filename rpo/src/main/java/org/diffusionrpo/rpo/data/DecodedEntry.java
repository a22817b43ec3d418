package org.diffusionrpo.rpo.data;

import java.io.IOException;
import org.diffusionrpo.diffusion.image.ImageCodec;

/** One entry of a source after decoding: a pair with both pictures, or why there is none. */
public sealed interface DecodedEntry permits DecodedPair, LeftOut {
  /** The entry itself where both pictures can be decoded; keeps none of them, so that many may wait. */
  static PairEntry checked(PairEntry entry) {
    return of(entry) instanceof LeftOut leftOut ? leftOut : entry;
  }

  /** Decodes both pictures; a pure function, for any thread. */
  static DecodedEntry of(PairEntry entry) {
    if (entry instanceof LeftOut leftOut) {
      return leftOut;
    }
    PreferencePair pair = (PreferencePair) entry;
    try {
      return new DecodedPair(pair, ImageCodec.decode(pair.winner(), pair.id() + " (winner)"),
          ImageCodec.decode(pair.loser(), pair.id() + " (loser)"));
    } catch (IOException e) {
      return new LeftOut(true, e.getMessage());
    }
  }
}
