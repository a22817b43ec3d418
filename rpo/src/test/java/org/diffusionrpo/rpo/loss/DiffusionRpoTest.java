package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.Stream;
import org.diffusionrpo.rpo.loss.DiffusionRpo.Weighting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class DiffusionRpoTest {
  /** Truncation of the central difference plus rounding, see {@link LossTesting#gradientError}. */
  private static final double GRADIENT = 1e-6;

  /** Sums of a few doubles in another order. */
  private static final double ROUNDING = 1e-12;

  private static final double[][] GOLDEN_PROMPTS = {{1, 0}, {.6, .8}, {0, 1}};

  static Stream<Arguments> weightings() {
    return Stream.of(new ContrastWeights.Distance(Similarity.BOTH, 0.3),
            new ContrastWeights.Distance(Similarity.IMAGE, 0.5), new ContrastWeights.Distance(Similarity.TEXT, 0.5),
            new ContrastWeights.Uniform(), new ContrastWeights.Diagonal(0.8))
        .flatMap(weights -> Stream.of(Weighting.values()).map(weighting -> Arguments.of(weighting, weights)));
  }

  @Test
  void threePairsGiveThePublishedNumbers() {
    double[] base = {.1, .1, .1};
    var errors = new PairErrors(new double[] {.1 - .001, .1 + .0005, .1 - .0002},
        new double[] {.1 + .0008, .1 - .0003, .1 + .0001}, base, base);
    var features = PairFeatures.ofPairs(GOLDEN_PROMPTS, GOLDEN_PROMPTS, GOLDEN_PROMPTS);
    var rpo = new DiffusionRpo(2000, Weighting.INSIDE, new ContrastWeights.Distance(Similarity.TEXT, .5));
    var result = rpo.evaluate(errors, features);
    assertEquals(.6473530288, result.loss(), 1e-10);
    assertArrayEquals(new double[] {35.7600479, 61.1791089, 53.2322903}, result.dWinner(), 1e-7);
    assertArrayEquals(new double[] {-32.4540886, -66.2993031, -51.4180553}, result.dLoser(), 1e-7);
    assertEquals(result.loss(), result.metrics().get(LossMetric.DIAGONAL_LOSS)
        + result.metrics().get(LossMetric.OFF_DIAGONAL_LOSS), ROUNDING);
    assertEquals((.6310485 + .47177622 + .55381555) / 3, result.metrics().get(LossMetric.DIAGONAL_WEIGHT), 1e-8);
  }

  @Test
  void aPreferenceStepGivesTheReferenceLoss() {
    var errors = new PairErrors(DiffusionDpoTest.GOLDEN_POLICY_WINNER, DiffusionDpoTest.GOLDEN_POLICY_LOSER,
        DiffusionDpoTest.GOLDEN_REFERENCE_WINNER, DiffusionDpoTest.GOLDEN_REFERENCE_LOSER);
    double[][] prompts = ContrastWeightsTest.goldenPrompts();
    var rpo = new DiffusionRpo(200, Weighting.INSIDE, new ContrastWeights.Distance(Similarity.TEXT, .5));
    var result = rpo.evaluate(errors, PairFeatures.ofPairs(prompts, prompts, prompts));
    // The golden errors carry nine digits and beta multiplies their rounding.
    assertEquals(0.7735219499, result.loss(), 1e-6);
  }

  @ParameterizedTest
  @MethodSource("weightings")
  void gradientMatchesFiniteDifferences(Weighting weighting, ContrastWeights weights) {
    Random random = new Random(11);
    var errors = LossTesting.errors(random, 5, 5);
    var features = LossTesting.features(random, 5, 5);
    double error = LossTesting.gradientError(new DiffusionRpo(2000, weighting, weights), errors, features);
    assertTrue(error < GRADIENT, () -> "error " + error);
  }

  @ParameterizedTest
  @EnumSource(Weighting.class)
  void gradientMatchesFiniteDifferencesWithMoreLosersThanWinners(Weighting weighting) {
    Random random = new Random(12);
    var errors = LossTesting.errors(random, 3, 7);
    var features = LossTesting.features(random, 3, 7);
    var rpo = new DiffusionRpo(2000, weighting, new ContrastWeights.Distance(Similarity.BOTH, 0.4));
    assertTrue(LossTesting.gradientError(rpo, errors, features) < GRADIENT);
  }

  @ParameterizedTest
  @MethodSource("weightings")
  void contrastBatchOfOneIsDiffusionDpoBitForBit(Weighting weighting, ContrastWeights weights) {
    Random random = new Random(13);
    var errors = LossTesting.errors(random, 7, 7);
    var features = LossTesting.features(random, 7, 7);
    var dpo = new DiffusionDpo(2000).evaluate(errors, PairFeatures.NONE);
    var rpo = new ContrastGroups(new DiffusionRpo(2000, weighting, weights), 1).evaluate(errors, features);
    assertEquals(dpo.loss(), rpo.loss());
    assertArrayEquals(dpo.dWinner(), rpo.dWinner());
    assertArrayEquals(dpo.dLoser(), rpo.dLoser());
    assertEquals(dpo.metrics().get(LossMetric.IMPLICIT_ACCURACY), rpo.metrics().get(LossMetric.IMPLICIT_ACCURACY),
        ROUNDING);
    assertEquals(dpo.metrics().get(LossMetric.PULL), rpo.metrics().get(LossMetric.PULL), 1e-9);
    assertEquals(dpo.metrics().get(LossMetric.LOGIT_MIN), rpo.metrics().get(LossMetric.LOGIT_MIN));
  }

  @ParameterizedTest
  @MethodSource("weightings")
  void permutationOfPairsPermutesGradients(Weighting weighting, ContrastWeights weights) {
    Random random = new Random(14);
    var errors = LossTesting.errors(random, 5, 5);
    var features = LossTesting.features(random, 5, 5);
    int[] order = {3, 0, 4, 1, 2};
    var moved = new PairErrors(LossTesting.permuted(errors.policyWinner(), order),
        LossTesting.permuted(errors.policyLoser(), order), LossTesting.permuted(errors.referenceWinner(), order),
        LossTesting.permuted(errors.referenceLoser(), order));
    var movedFeatures = new PairFeatures(LossTesting.permuted(features.winnerImages(), order),
        LossTesting.permuted(features.loserImages(), order), LossTesting.permuted(features.winnerPrompts(), order),
        LossTesting.permuted(features.loserPrompts(), order));
    var rpo = new DiffusionRpo(2000, weighting, weights);
    var expected = rpo.evaluate(errors, features);
    var actual = rpo.evaluate(moved, movedFeatures);
    assertEquals(expected.loss(), actual.loss(), ROUNDING);
    assertArrayEquals(LossTesting.permuted(expected.dWinner(), order), actual.dWinner(), 1e-9);
    assertArrayEquals(LossTesting.permuted(expected.dLoser(), order), actual.dLoser(), 1e-9);
  }

  @Test
  void tinyTauLeavesDpoTermsAndLn2PerOtherTerm() {
    Random random = new Random(15);
    int k = 5;
    var errors = LossTesting.errors(random, k, k);
    double[][] prompts = LossTesting.units(random, k, 9);
    var rpo = new DiffusionRpo(2000, Weighting.INSIDE, new ContrastWeights.Distance(Similarity.TEXT, 1e-4));
    var result = rpo.evaluate(errors, PairFeatures.ofPairs(prompts, prompts, prompts));
    var dpo = new DiffusionDpo(2000).evaluate(errors, PairFeatures.NONE);
    assertEquals((dpo.loss() + (k - 1) * Math.log(2)) / k, result.loss(), ROUNDING);
    for (int i = 0; i < k; i++) {
      assertEquals(dpo.dWinner()[i] / k, result.dWinner()[i], 1e-9);
    }
  }

  @Test
  void outsideWeightingWithDiagonalOneIsDpo() {
    Random random = new Random(16);
    var errors = LossTesting.errors(random, 6, 6);
    var rpo = new DiffusionRpo(2000, Weighting.OUTSIDE, new ContrastWeights.Diagonal(1));
    var dpo = new DiffusionDpo(2000).evaluate(errors, PairFeatures.NONE);
    var result = rpo.evaluate(errors, PairFeatures.NONE);
    assertEquals(dpo.loss(), result.loss(), ROUNDING);
    assertArrayEquals(dpo.dLoser(), result.dLoser(), 1e-9);
  }

  @Test
  void insideAndOutsideDifferByWhereOmegaStands() {
    double[] base = {.1, .1};
    var errors = new PairErrors(new double[] {.099, .1}, new double[] {.1, .102}, base, base);
    ContrastWeights given = (features, m, n) -> new double[][] {{.75, .25}, {.5, .5}};
    double[][] s = {{1, 3}, {0, 2}};
    double inside = 0;
    double outside = 0;
    double[][] omega = given.omega(PairFeatures.NONE, 2, 2);
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < 2; j++) {
        inside += Math.log1p(Math.exp(-omega[i][j] * s[i][j])) / 4;
        outside += omega[i][j] * Math.log1p(Math.exp(-s[i][j])) / 2;
      }
    }
    assertEquals(inside, new DiffusionRpo(2000, Weighting.INSIDE, given).evaluate(errors, PairFeatures.NONE).loss(),
        ROUNDING);
    assertEquals(outside, new DiffusionRpo(2000, Weighting.OUTSIDE, given).evaluate(errors, PairFeatures.NONE).loss(),
        ROUNDING);
  }
}
