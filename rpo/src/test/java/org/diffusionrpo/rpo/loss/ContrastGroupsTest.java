package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.diffusionrpo.rpo.loss.DiffusionRpo.Weighting;
import org.junit.jupiter.api.Test;

class ContrastGroupsTest {
  private static final DiffusionRpo RPO =
      new DiffusionRpo(2000, Weighting.INSIDE, new ContrastWeights.Distance(Similarity.BOTH, .4));

  private final Random random = new Random(21);
  private final PairErrors errors = LossTesting.errors(random, 7, 7);
  private final PairFeatures features = LossTesting.features(random, 7, 7);

  @Test
  void aGroupAsLargeAsTheBatchChangesNothing() {
    var whole = RPO.evaluate(errors, features);
    for (int size : new int[] {7, 100}) {
      var grouped = new ContrastGroups(RPO, size).evaluate(errors, features);
      assertEquals(whole.loss(), grouped.loss(), 1e-15);
      assertArrayEquals(whole.dWinner(), grouped.dWinner(), 1e-12);
    }
  }

  @Test
  void groupsCountByTheirPairsAndTheLastMayBeSmaller() {
    var grouped = new ContrastGroups(RPO, 3).evaluate(errors, features);
    double loss = 0;
    for (int[] group : new int[][] {{0, 3}, {3, 6}, {6, 7}}) {
      loss += RPO.evaluate(errors.slice(group[0], group[1]), features.slice(group[0], group[1])).loss()
          * (group[1] - group[0]) / 7;
    }
    assertEquals(loss, grouped.loss(), 1e-14);
  }

  @Test
  void gradientMatchesFiniteDifferences() {
    assertTrue(LossTesting.gradientError(new ContrastGroups(RPO, 3), errors, features) < 1e-6);
  }

  @Test
  void metricsPoolMeansAndExtremes() {
    var grouped = new ContrastGroups(RPO, 3).evaluate(errors, features).metrics();
    var first = RPO.evaluate(errors.slice(0, 3), features.slice(0, 3)).metrics();
    var second = RPO.evaluate(errors.slice(3, 6), features.slice(3, 6)).metrics();
    var last = RPO.evaluate(errors.slice(6, 7), features.slice(6, 7)).metrics();
    assertEquals(first.keySet(), grouped.keySet());
    assertEquals(LogitTally.mean(errors.policyWinner()), grouped.get(LossMetric.WINNER_ERROR), 1e-15);
    LossMetric max = LossMetric.LOGIT_MAX;
    assertEquals(Math.max(first.get(max), Math.max(second.get(max), last.get(max))), grouped.get(max));
    assertEquals(grouped.get(LossMetric.DIAGONAL_LOSS) + grouped.get(LossMetric.OFF_DIAGONAL_LOSS),
        new ContrastGroups(RPO, 3).evaluate(errors, features).loss(), 1e-14);
  }

  @Test
  void pairsOfDifferentGroupsDoNotMeet() {
    double[] moved = errors.policyLoser().clone();
    moved[6] += 0.01;
    var other = new PairErrors(errors.policyWinner(), moved, errors.referenceWinner(), errors.referenceLoser());
    var groups = new ContrastGroups(RPO, 3);
    double[] before = groups.evaluate(errors, features).dWinner();
    double[] after = groups.evaluate(other, features).dWinner();
    for (int i = 0; i < 6; i++) {
      assertEquals(before[i], after[i]);
    }
    assertTrue(before[6] != after[6]);
  }

  @Test
  void emptyGroupsAndUnpairedBatchesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ContrastGroups(RPO, 0));
    var unpaired = LossTesting.errors(random, 2, 3);
    assertThrows(IllegalArgumentException.class,
        () -> new ContrastGroups(RPO, 2).evaluate(unpaired, PairFeatures.NONE));
  }
}
