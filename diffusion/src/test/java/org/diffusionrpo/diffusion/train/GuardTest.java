package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class GuardTest {
  private static final int MAX_SKIPS = 3;

  private final Guard guard = new Guard(MAX_SKIPS);

  @Test
  void lossesAndNormsThatAreNotFiniteAreRefusedFromTheFirstUpdateOn() {
    assertEquals("the loss is NaN", guard.objection(Double.NaN, 1));
    assertEquals("the gradient norm is Infinity", guard.objection(1, Double.POSITIVE_INFINITY));
    assertNull(guard.objection(1, 1));
  }

  @Test
  void aSpikeIsFiftyTimesTheMedianOfSixteenNormsAtLeast() {
    feed(15, 2);
    assertNull(guard.objection(1, 1000), "15 norms are too few to judge");
    assertNull(guard.objection(1, 99));
    assertEquals("the gradient norm 101 is over 50 times the recent median 2.00", guard.objection(1, 101));
  }

  @Test
  void refusedNormsDoNotMoveTheMedian() {
    feed(20, 1);
    assertNotNull(guard.objection(1, 60));
    assertNotNull(guard.objection(1, 60));
    assertNull(guard.objection(1, 49));
  }

  @Test
  void theMedianFollowsARunThatSlowlyGrows() {
    for (int step = 0; step < 500; step++) {
      assertNull(guard.objection(1, Math.pow(1.05, step)), "step " + step);
    }
  }

  @Test
  void onlySkipsInARowMeanDivergence() {
    assertNotNull(guard.objection(Double.NaN, 1));
    assertNotNull(guard.objection(Double.NaN, 1));
    assertNull(guard.objection(1, 1));
    assertNotNull(guard.objection(Double.NaN, 1));
    assertNotNull(guard.objection(Double.NaN, 1));
    assertFalse(guard.diverged());
    assertNotNull(guard.objection(Double.NaN, 1));
    assertTrue(guard.diverged());
  }

  @Test
  void notesCarryWindowAndSkips() {
    for (int i = 1; i <= 90; i++) {
      guard.objection(1, i / 3.0);
    }
    guard.objection(Double.NaN, 1);
    Guard resumed = new Guard(MAX_SKIPS);
    resumed.resume(guard.notes());
    assertEquals(guard.notes(), resumed.notes());
    assertEquals(guard.objection(1, 5000), resumed.objection(1, 5000));
    assertEquals(guard.objection(1, 5000), resumed.objection(1, 5000));
    assertTrue(guard.diverged() && resumed.diverged());
  }

  @Test
  void withoutNotesItStartsAnew() {
    feed(30, 1);
    guard.resume(Map.of());
    assertNull(guard.objection(1, 1e6));
  }

  private void feed(int count, double norm) {
    for (int i = 0; i < count; i++) {
      assertNull(guard.objection(1, norm));
    }
  }
}
