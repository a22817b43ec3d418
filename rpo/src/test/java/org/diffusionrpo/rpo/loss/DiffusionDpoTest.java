package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class DiffusionDpoTest {
  /** Truncation of the central difference plus rounding, see {@link LossTesting#gradientError}. */
  private static final double GRADIENT = 1e-6;

  /** The golden errors carry nine digits and beta multiplies their rounding. */
  private static final double GOLDEN = 1e-6;

  static final double[] GOLDEN_POLICY_WINNER = {0.813571771, 0.582774584, 0.542432};
  static final double[] GOLDEN_POLICY_LOSER = {0.715680173, 0.618202233, 0.564839957};
  static final double[] GOLDEN_REFERENCE_WINNER = {0.732142132, 0.530177636, 0.496213825};
  static final double[] GOLDEN_REFERENCE_LOSER = {0.651688757, 0.560524876, 0.515123094};

  @Test
  void onePairGivesThePublishedNumbers() {
    var errors = new PairErrors(new double[] {.12}, new double[] {.13}, new double[] {.121}, new double[] {.128});
    var result = new DiffusionDpo(5000).evaluate(errors, PairFeatures.NONE);
    assertEquals(7.5, result.metrics().get(LossMetric.LOGIT_MEAN), 1e-11);
    assertEquals(5.529314754e-4, result.loss(), 1e-13);
    assertEquals(1.3819465923, result.dWinner()[0], 1e-10);
    assertEquals(-1.3819465923, result.dLoser()[0], 1e-10);
    assertEquals(1, result.metrics().get(LossMetric.SATURATED_RIGHT));
  }

  @Test
  void aPreferenceStepGivesTheReferenceNumbers() {
    var result = new DiffusionDpo(200).evaluate(new PairErrors(GOLDEN_POLICY_WINNER, GOLDEN_POLICY_LOSER,
        GOLDEN_REFERENCE_WINNER, GOLDEN_REFERENCE_LOSER), PairFeatures.NONE);
    assertEquals(0.9698162099, result.loss(), GOLDEN);
    assertEquals(-1.74382232, result.metrics().get(LossMetric.LOGIT_MIN), GOLDEN);
    assertEquals(0.508040911, result.metrics().get(LossMetric.LOGIT_MAX), GOLDEN);
    assertEquals((-1.74382232 + 0.508040911 + 0.349868894) / 3, result.metrics().get(LossMetric.LOGIT_MEAN), GOLDEN);
    assertEquals(2.0 / 3, result.metrics().get(LossMetric.IMPLICIT_ACCURACY), 1e-15);
  }

  @Test
  void anUntrainedCopyHasLossLn2AndUndecidedAccuracy() {
    double[] winner = {.1, .2, .3};
    double[] loser = {.2, .1, .4};
    var result = new DiffusionDpo(5000).evaluate(new PairErrors(winner, loser, winner, loser), PairFeatures.NONE);
    assertEquals(Math.log(2), result.loss(), 1e-15);
    assertEquals(0.5, result.metrics().get(LossMetric.IMPLICIT_ACCURACY));
    assertArrayEquals(new double[] {1250 / 3.0, 1250 / 3.0, 1250 / 3.0}, result.dWinner(), 1e-12);
  }

  @Test
  void gradientMatchesFiniteDifferences() {
    var errors = LossTesting.errors(new Random(3), 5, 5);
    assertTrue(LossTesting.gradientError(new DiffusionDpo(2000), errors, PairFeatures.NONE) < GRADIENT);
  }

  @Test
  void hugeLogitsStayFinite() {
    var errors = new PairErrors(new double[] {0, 9}, new double[] {9, 0}, new double[] {1, 1}, new double[] {1, 1});
    var result = new DiffusionDpo(5000).evaluate(errors, PairFeatures.NONE);
    assertEquals(22_500 / 2.0, result.loss(), 1e-9);
    assertEquals(0, result.dWinner()[0]);
    assertEquals(1250, result.dWinner()[1]);
    assertEquals(0.5, result.metrics().get(LossMetric.SATURATED_RIGHT));
    assertEquals(0.5, result.metrics().get(LossMetric.SATURATED_WRONG));
  }

  @Test
  void unequalSidesMissingReferenceAndBadBetaAreRefused() {
    var dpo = new DiffusionDpo(1);
    var unequal = LossTesting.errors(new Random(1), 2, 3);
    var alone = PairErrors.winnersOnly(new double[] {1});
    assertThrows(IllegalArgumentException.class, () -> dpo.evaluate(unequal, PairFeatures.NONE));
    assertThrows(IllegalArgumentException.class, () -> dpo.evaluate(alone, PairFeatures.NONE));
    assertThrows(IllegalArgumentException.class, () -> new DiffusionDpo(0));
    assertThrows(IllegalArgumentException.class, () -> new DiffusionDpo(Double.NaN));
    assertThrows(IllegalArgumentException.class,
        () -> new PairErrors(new double[2], new double[2], new double[3], new double[2]));
  }
}
