package org.diffusionrpo.rpo.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Philox;

/** Forms preference pairs from the bundled images: a concept in the preferred style wins over it in another style. */
public final class StyledPairs {
  private StyledPairs() {}

  /**
   * Pairs of one split, ordered by concept.
   *
   * @param losers pairs per concept, each with another losing style, drawn from the seed; at most styles - 1
   * @param seed the drawn styles depend on it and on the concept, not on the other concepts
   */
  public static List<PreferencePair> form(StyledImages images, Split split, String preferred, int losers, long seed) {
    List<String> styles = images.styles();
    if (!styles.contains(preferred)) {
      throw new IllegalArgumentException("style '" + preferred + "': expected one of " + String.join(", ", styles));
    }
    if (losers < 1 || losers >= styles.size()) {
      throw new IllegalArgumentException(losers + " losers per concept: expected 1 to " + (styles.size() - 1));
    }
    List<PreferencePair> pairs = new ArrayList<>();
    images.byConcept(split).forEach((concept, byStyle) -> {
      StyledImage winner = byStyle.get(preferred);
      if (winner != null) {
        for (StyledImage loser : draw(byStyle, preferred, losers, Philox.stream(seed, "losers/" + concept, 0))) {
          pairs.add(new PreferencePair(winner.png(), loser.png(), winner.caption(),
              concept + ":" + preferred + ">" + loser.style()));
        }
      }
    });
    return pairs;
  }

  private static List<StyledImage> draw(Map<String, StyledImage> byStyle, String preferred, int count, Philox random) {
    List<StyledImage> others = byStyle.values().stream().filter(image -> !image.style().equals(preferred)).toList();
    return Arrays.stream(random.permutation(others.size())).limit(count).mapToObj(others::get).toList();
  }
}
