package org.diffusionrpo.bench.emoji;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.diffusionrpo.rpo.data.Split;
import org.junit.jupiter.api.Test;

class ConceptSplitTest {
  /** Captions of two words out of 40 and now and then a rare one; 150 subgroups. */
  private static List<Concept> concepts(int count) {
    Random random = new Random(11);
    List<Concept> concepts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String rare = i % 10 == 0 ? " rare" + i : "";
      String caption = "w" + random.nextInt(40) + " v" + random.nextInt(40) + rare;
      concepts.add(new Concept(Integer.toHexString(0x1f000 + i), "group" + i % 150, caption, Map.of()));
    }
    return concepts;
  }

  private static long count(Map<String, Split> splits, Split split) {
    return splits.values().stream().filter(split::equals).count();
  }

  @Test void heldOutCaptionsUseOnlyTrainingWordsAndHaveTheirSizes() {
    List<Concept> concepts = concepts(1000);
    Map<String, Split> splits = ConceptSplit.assign(concepts);
    assertEquals(ConceptSplit.HELD_OUT_PER_SPLIT, count(splits, Split.TEST));
    assertEquals(ConceptSplit.HELD_OUT_PER_SPLIT, count(splits, Split.VALIDATION));
    Set<String> known = new HashSet<>();
    for (Concept concept : concepts) {
      if (splits.get(concept.id()) == Split.TRAIN) {
        known.addAll(Captions.words(concept.caption()));
      }
    }
    concepts.forEach(concept -> assertTrue(known.containsAll(Captions.words(concept.caption())), concept.caption()));
  }

  @Test void theOrderOfTheConceptsDoesNotMatter() {
    List<Concept> concepts = concepts(500);
    Map<String, Split> splits = ConceptSplit.assign(concepts);
    Collections.shuffle(concepts, new Random(2));
    assertEquals(splits, ConceptSplit.assign(concepts));
  }

  @Test void wordsThatOccurOnceStayInTraining() {
    List<Concept> concepts = List.of(new Concept("1", "a", "red apple", Map.of()),
        new Concept("2", "b", "red pear", Map.of()), new Concept("3", "c", "green plum", Map.of()));
    assertEquals(3, count(ConceptSplit.assign(concepts), Split.TRAIN));
  }
}
