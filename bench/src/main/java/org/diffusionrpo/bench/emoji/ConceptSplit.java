package org.diffusionrpo.bench.emoji;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.diffusionrpo.rpo.data.Split;

/**
 * Assigns concepts to train, validation and test: a function of the names alone.
 *
 * <p>Concepts are visited in the order of the SHA-256 of their id. One is held out if each word of its caption still
 * occurs in a training caption without it and its Unicode subgroup has not given enough already; the two held-out
 * splits take turns.
 */
final class ConceptSplit {
  static final int HELD_OUT_PER_SPLIT = 100;
  /** Keeps the many "man ..., woman ..., person ..." concepts from filling the held-out splits. */
  private static final int PER_SUBGROUP = 4;

  private ConceptSplit() {}

  /** Concept id to split. */
  static Map<String, Split> assign(List<Concept> concepts) {
    Map<String, Integer> uses = new HashMap<>();
    concepts.forEach(concept -> words(concept).forEach(word -> uses.merge(word, 1, Integer::sum)));
    Map<String, Integer> taken = new HashMap<>();
    Map<String, Split> splits = new TreeMap<>();
    int heldOut = 0;
    for (Concept concept : concepts.stream().sorted(Comparator.comparing(c -> sha256(c.id()))).toList()) {
      Set<String> words = words(concept);
      boolean spare = words.stream().allMatch(word -> uses.get(word) > 1);
      if (spare && heldOut < 2 * HELD_OUT_PER_SPLIT && taken.getOrDefault(concept.subgroup(), 0) < PER_SUBGROUP) {
        words.forEach(word -> uses.merge(word, -1, Integer::sum));
        taken.merge(concept.subgroup(), 1, Integer::sum);
        splits.put(concept.id(), heldOut++ % 2 == 0 ? Split.TEST : Split.VALIDATION);
      } else {
        splits.put(concept.id(), Split.TRAIN);
      }
    }
    return splits;
  }

  private static Set<String> words(Concept concept) {
    return new HashSet<>(Captions.words(concept.caption()));
  }

  private static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
