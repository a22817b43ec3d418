package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SftTest {
  @Test
  void lossIsTheMeanWinnerError() {
    var result = new Sft().evaluate(PairErrors.winnersOnly(new double[] {.1, .2, .6}), PairFeatures.NONE);
    assertEquals(.3, result.loss(), 1e-15);
    assertArrayEquals(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0}, result.dWinner());
    assertFalse(result.metrics().containsKey(LossMetric.WINNER_DELTA));
  }

  @Test
  void gradientMatchesFiniteDifferencesAndLosersHaveNone() {
    var errors = LossTesting.errors(new Random(8), 3, 3);
    var result = new Sft().evaluate(errors, PairFeatures.NONE);
    assertTrue(LossTesting.gradientError(new Sft(), errors, PairFeatures.NONE) < 1e-9);
    assertArrayEquals(new double[3], result.dLoser());
    assertTrue(result.metrics().containsKey(LossMetric.WINNER_DELTA));
  }

  @Test
  void groupsDoNotChangeSft() {
    var errors = PairErrors.winnersOnly(new double[] {.1, .2, .6, .7, .9});
    var grouped = new ContrastGroups(new Sft(), 2).evaluate(errors, PairFeatures.NONE);
    assertEquals(.5, grouped.loss(), 1e-15);
    assertArrayEquals(new double[] {.2, .2, .2, .2, .2}, grouped.dWinner(), 1e-15);
  }

  @Test
  void noImagesAreRefused() {
    var none = PairErrors.winnersOnly(new double[0]);
    assertThrows(IllegalArgumentException.class, () -> new Sft().evaluate(none, PairFeatures.NONE));
    assertThrows(IllegalArgumentException.class,
        () -> new ContrastGroups(new Sft(), 2).evaluate(none, PairFeatures.NONE));
  }
}
