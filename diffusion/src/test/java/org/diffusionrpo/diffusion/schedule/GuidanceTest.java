package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class GuidanceTest {
  private static final float ROUNDING = 1e-6f;
  private static final float[] OUTPUTS = {1, 2, 3, 4, 2, 0, 3, 8};

  @Test
  void extrapolatesFromTheUnconditionalOutput() {
    float[] out = new float[4];
    Guidance.combine(out, OUTPUTS, 7.5);
    assertArrayEquals(new float[] {8.5f, -13, 3, 34}, out);
    Guidance.combine(out, OUTPUTS, 1);
    assertArrayEquals(new float[] {2, 0, 3, 8}, out);
    Guidance.combine(out, OUTPUTS, 0);
    assertArrayEquals(new float[] {1, 2, 3, 4}, out);
  }

  @Test
  void rescalesEachSampleToTheSpreadOfItsConditionalOutput() {
    float[] out = {8.5f, -13, 3, 34};
    Guidance.rescale(out, OUTPUTS, 2, 1);
    // Two numbers per sample: the spreads are |2 - 0| : |8.5 + 13| and |3 - 8| : |3 - 34|.
    assertArrayEquals(new float[] {8.5f * 2 / 21.5f, -13 * 2 / 21.5f, 3 * 5 / 31f, 34 * 5 / 31f}, out, ROUNDING);
    float[] half = {8.5f, -13, 3, 34};
    Guidance.rescale(half, OUTPUTS, 2, 0.5);
    assertEquals(8.5 * (0.5 * 2 / 21.5 + 0.5), half[0], ROUNDING);
  }

  @Test
  void leavesAnOutputWithoutSpreadAsItIs() {
    float[] out = {5, 5};
    Guidance.rescale(out, new float[] {1, 2, 3, 4}, 1, 0.7);
    assertArrayEquals(new float[] {5, 5}, out);
  }

  @Test
  void refusesSizesThatDoNotFit() {
    assertThrows(IllegalArgumentException.class, () -> Guidance.combine(new float[3], OUTPUTS, 2));
    assertThrows(IllegalArgumentException.class, () -> Guidance.rescale(new float[4], OUTPUTS, 3, 1));
    assertThrows(IllegalArgumentException.class, () -> Guidance.rescale(new float[3], OUTPUTS, 1, 1));
  }
}
