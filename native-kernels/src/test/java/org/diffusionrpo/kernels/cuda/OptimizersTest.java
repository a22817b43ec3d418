package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptimizersTest extends OnDevice {
  /** Float sums of other cuts, through square roots. */
  private static final double TOLERANCE = 2e-6;

  private final AdamW adamW = new AdamW(device);
  private final Adafactor adafactor = new Adafactor(device);

  @ParameterizedTest
  @CsvSource({"1,false", "7,false", "1024,false", "1027,true", "70001,false"})
  void adamWHasTheBitsOfTheCpu(int n, boolean odd) {
    float[] w = gaussian(1, n);
    float[] m = new float[n];
    float[] v = new float[n];
    DeviceBuffer weights = upload(w, odd);
    DeviceBuffer first = upload(m, odd);
    DeviceBuffer second = upload(v, odd);
    for (int k = 1; k <= 3; k++) {
      float[] g = gaussian(k + 1, n);
      double correct1 = 1 - Math.pow(0.9, k);
      double correct2 = 1 - Math.pow(0.999, k);
      adamW.step(weights, upload(g, odd), first, second, n, 0.01, 0.9, 0.999, 1e-8, 0.1, correct1, correct2);
      org.diffusionrpo.kernels.cpu.AdamW.step(w, g, m, v, n, 0.01, 0.9, 0.999, 1e-8, 0.1, correct1, correct2);
    }
    assertArrayEquals(w, read(weights, n));
    assertArrayEquals(m, read(first, n));
    assertArrayEquals(v, read(second, n));
  }

  /**
   * Matrices with few rows and with several chunks of rows, filters of odd and even channels, a 1 x 1 filter; each over
   * three steps, the gradient so large that the update is clipped at the first.
   */
  @ParameterizedTest
  @CsvSource({"1,1,1,1,false", "1,3,7,1,false", "1,17,33,1,false", "1,700,65,1,false", "1,300,128,1,true",
      "1,130,512,1,false", "5,3,3,7,false", "2,1,1,17,false", "3,3,2,32,false", "3,3,3,64,true", "9,5,4,1,false",
      "2,70,3,8,false"})
  void adafactorMatchesTheCpu(int outer, int rows, int columns, int inner, boolean odd) {
    int n = outer * rows * columns * inner;
    float[] w = gaussian(1, n);
    float[] rowState = new float[outer * rows * inner];
    float[] columnState = new float[outer * columns * inner];
    DeviceBuffer weights = upload(w, odd);
    DeviceBuffer r = upload(rowState, odd);
    DeviceBuffer c = upload(columnState);
    for (int k = 1; k <= 3; k++) {
      float[] g = gaussian(k + 1, n);
      adafactor.step(weights, upload(g, odd), r, c, outer, rows, columns, inner, k, 0.01, 0.1);
      org.diffusionrpo.kernels.cpu.Adafactor.step(w, g, rowState, columnState, outer, rows, columns, inner, k, 0.01,
          0.1);
    }
    assertClose("R", rowState, read(r, rowState.length), TOLERANCE);
    assertClose("C", columnState, read(c, columnState.length), TOLERANCE);
    assertClose("w", w, read(weights, n), TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1", "3", "33", "5000"})
  void adafactorOfAVectorMatchesTheCpu(int n) {
    float[] w = gaussian(1, n);
    float[] v = new float[n];
    DeviceBuffer weights = upload(w);
    DeviceBuffer state = upload(v);
    for (int k = 1; k <= 3; k++) {
      float[] g = gaussian(k + 1, n);
      adafactor.step(weights, upload(g), state, n, k, 0.01, 0.1);
      org.diffusionrpo.kernels.cpu.Adafactor.step(w, g, v, n, k, 0.01, 0.1);
    }
    assertClose("V", v, read(state, n), TOLERANCE);
    assertClose("w", w, read(weights, n), TOLERANCE);
  }

  @Test
  void adafactorLeavesWeightsWithoutGradientToTheirDecay() {
    float[] w = gaussian(1, 12);
    DeviceBuffer weights = upload(w);
    adafactor.step(weights, upload(new float[12]), upload(new float[3]), upload(new float[4]), 1, 3, 4, 1, 1, 0.5, 0);
    assertArrayEquals(w, read(weights, 12));
  }

  /** A NaN must not look like a gradient within bounds. */
  @Test
  void adafactorPassesNanOn() {
    float[] g = gaussian(2, 12);
    g[5] = Float.NaN;
    DeviceBuffer weights = upload(gaussian(1, 12));
    adafactor.step(weights, upload(g), upload(new float[12]), 12, 1, 0.5, 0);
    for (float value : read(weights, 12)) {
      assertTrue(Float.isNaN(value));
    }
  }

  @Test
  void adafactorCountsStepsFromOne() {
    assertThrows(IllegalArgumentException.class, () -> adafactor.step(null, null, null, 4, 0, 0.1, 0));
  }

  @Test
  void adafactorNeverChangesBits() {
    float[] g = gaussian(2, 300 * 70);
    assertReproducible(() -> {
      DeviceBuffer weights = upload(gaussian(1, g.length));
      adafactor.step(weights, upload(g), upload(new float[300]), upload(new float[70]), 1, 300, 70, 1, 1, 0.01, 0);
      return read(weights, g.length);
    });
  }
}
