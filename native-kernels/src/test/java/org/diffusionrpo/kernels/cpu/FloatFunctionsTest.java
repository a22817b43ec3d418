package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The base-2 functions of attention against the JDK in double; exp and the normal distribution: ActivationsTest. */
class FloatFunctionsTest {
  /** Promised by exp2. */
  private static final double RELATIVE = 2e-7;
  /** Promised by log2. */
  private static final double ABSOLUTE = 1e-9;

  @Test
  void exp2MatchesAndVanishesAtTheEnd() {
    for (float x = -126; x <= 127; x += 0.00371f) {
      double expected = Math.pow(2, x);
      assertEquals(expected, FloatFunctions.exp2(x), RELATIVE * expected, "2^" + x);
    }
    assertEquals(1, FloatFunctions.exp2(0));
    assertEquals(0, FloatFunctions.exp2(-128));
    assertEquals(0, FloatFunctions.exp2(Float.NEGATIVE_INFINITY));
    assertTrue(Float.isNaN(FloatFunctions.exp2(Float.NaN)));
  }

  @Test
  void log2Matches() {
    for (float x = 1e-30f; x < 1e30f; x *= 1.00371f) {
      assertEquals(Math.log(x) / Math.log(2), FloatFunctions.log2(x), ABSOLUTE, "log2 " + x);
    }
    for (int n = -100; n <= 100; n += 50) {
      assertEquals(n, FloatFunctions.log2((float) Math.pow(2, n)));
    }
  }
}
