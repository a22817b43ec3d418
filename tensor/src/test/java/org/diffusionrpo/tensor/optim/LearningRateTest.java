package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.diffusionrpo.tensor.optim.LearningRate.Schedule;
import org.junit.jupiter.api.Test;

class LearningRateTest {
  private static final double EXACT = 1e-18;

  @Test
  void warmUpStartsAtZeroAndEndsAtTheBaseRate() {
    for (Schedule schedule : Schedule.values()) {
      LearningRate rate = new LearningRate(schedule, 2e-5, 4, 20);
      assertEquals(0, rate.at(0));
      assertEquals(0.5e-5, rate.at(1), EXACT);
      assertEquals(1.5e-5, rate.at(3), EXACT);
      assertEquals(2e-5, rate.at(4), EXACT);
    }
  }

  @Test
  void withoutWarmUpTheFirstUpdateHasTheBaseRate() {
    assertEquals(2e-5, new LearningRate(Schedule.COSINE, 2e-5, 0, 10).at(0));
  }

  @Test
  void constantStays() {
    assertEquals(2e-5, new LearningRate(Schedule.CONSTANT, 2e-5, 4, 20).at(1000));
  }

  @Test
  void linearAndCosineFallToZeroAtTheTotal() {
    LearningRate linear = new LearningRate(Schedule.LINEAR, 1, 4, 20);
    assertEquals(0.5, linear.at(12), EXACT);
    assertEquals(0.25, linear.at(16), EXACT);
    assertEquals(0, linear.at(20), EXACT);
    assertEquals(0, linear.at(25), EXACT);
    LearningRate cosine = new LearningRate(Schedule.COSINE, 1, 4, 20);
    assertEquals(0.5, cosine.at(12), 1e-15);
    assertEquals((1 + Math.sqrt(0.5)) / 2, cosine.at(8), 1e-15);
    assertEquals(0, cosine.at(20), 1e-15);
    assertEquals(0, cosine.at(31), 1e-15);
  }

  @Test
  void wrongSettingsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(Schedule.LINEAR, -1, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(Schedule.LINEAR, Double.NaN, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(Schedule.LINEAR, 1, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(Schedule.LINEAR, 1, 0, 0));
  }
}
