package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizersTest {
  /** The golden numbers have ten digits, a float seven. */
  private static final double GOLDEN = 6e-8;
  /** Rounding of weights near 1 to float, over some steps. */
  private static final double TOLERANCE = 5e-7;

  @Test
  void adamWGivesTheGoldenNumbers() {
    float[] w = {1};
    float[] m = {0};
    float[] v = {0};
    AdamW.step(w, new float[] {0.1f}, m, v, 1, 1e-3, 0.9, 0.999, 1e-8, 1e-2, 1 - 0.9, 1 - 0.999);
    assertEquals(0.9989900001, w[0], GOLDEN);
    AdamW.step(w, new float[] {-0.2f}, m, v, 1, 1e-3, 0.9, 0.999, 1e-8, 1e-2, 1 - 0.81, 1 - 0.999 * 0.999);
    assertEquals(0.9993461137, w[0], GOLDEN);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025, 40_000})
  void adamWMatchesItsFormula(int n) {
    float[] w = gaussian(1, n);
    float[] m = new float[n];
    float[] v = new float[n];
    double[] ws = toDouble(w);
    double[] ms = new double[n];
    double[] vs = new double[n];
    for (int k = 1; k <= 4; k++) {
      float[] g = gaussian(10 + k, n);
      double c1 = 1 - Math.pow(0.9, k);
      double c2 = 1 - Math.pow(0.999, k);
      AdamW.step(w, g, m, v, n, 1e-2, 0.9, 0.999, 1e-8, 0.1, c1, c2);
      for (int i = 0; i < n; i++) {
        ms[i] = 0.9 * ms[i] + 0.1 * g[i];
        vs[i] = 0.999 * vs[i] + 0.001 * g[i] * g[i];
        ws[i] = ws[i] * (1 - 1e-3) - 1e-2 * (ms[i] / c1) / (Math.sqrt(vs[i] / c2) + 1e-8);
      }
    }
    assertClose("w", ws, w, TOLERANCE);
    assertClose("m", ms, m, TOLERANCE);
    assertClose("v", vs, v, TOLERANCE);
  }

  @Test
  void adafactorGivesTheGoldenNumbers() {
    float[] w = {1, 2, 3, 4, 5, 6};
    float[] g = {0.1f, -0.2f, 0.3f, 0.4f, 0, -0.1f};
    float[] rows = new float[2];
    float[] columns = new float[3];
    Adafactor.step(w, g, rows, columns, 1, 2, 3, 1, 1, 0.01, 0.01);
    assertClose("step 1", new double[] {0.9963599079, 2.0143961737, 2.9858528538, 3.9867496750, 4.9995, 6.0035886935},
        w, GOLDEN);
    Adafactor.step(w, g, rows, columns, 1, 2, 3, 1, 2, 0.01, 0.01);
    assertClose("step 2",
        new double[] {0.9927201798, 2.0287909077, 2.9717071223, 3.9735006751, 4.99900005, 6.0071770281}, w, 2 * GOLDEN);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "1,3,7,1", "1,33,17,1", "1,300,100,1", "2,40,1025,1", "5,3,3,4", "31,3,3,33", "3,1,1,20",
      "4,5,2,64"})
  void adafactorMatchesItsFormula(int outer, int rows, int columns, int inner) {
    int n = outer * rows * columns * inner;
    float[] w = gaussian(1, n);
    float[] rowState = new float[outer * rows * inner];
    float[] columnState = new float[outer * columns * inner];
    double[] ws = toDouble(w);
    double[][] states = {new double[rowState.length], new double[columnState.length]};
    for (int k = 1; k <= 3; k++) {
      float[] g = gaussian(20 + k, n);
      Elementwise.scale(g, g, 1e-3f, n);
      Adafactor.step(w, g, rowState, columnState, outer, rows, columns, inner, k, 1e-2, 0.01);
      adafactorOracle(ws, toDouble(g), states, outer, rows, columns, inner, k, 1e-2, 0.01);
    }
    assertClose("w", ws, w, TOLERANCE);
    assertClose("R", states[0], rowState, 2e-6);
    assertClose("C", states[1], columnState, 2e-6);
  }

  private static void adafactorOracle(double[] w, double[] g, double[][] states, int outer, int rows, int columns,
      int inner, int k, double lr, double decay) {
    double b = 1 - Math.pow(k, -0.8);
    double[] rowMean = new double[outer * rows * inner];
    double[] columnMean = new double[outer * columns * inner];
    double[] mean = new double[outer * inner];
    for (int i = 0; i < g.length; i++) {
      double u = g[i] * g[i] + 1e-30;
      rowMean[rowOf(i, columns, inner)] += u / columns;
      columnMean[columnOf(i, rows, columns, inner)] += u / rows;
    }
    Arrays.setAll(states[0], i -> b * states[0][i] + (1 - b) * rowMean[i]);
    Arrays.setAll(states[1], i -> b * states[1][i] + (1 - b) * columnMean[i]);
    for (int i = 0; i < states[0].length; i++) {
      mean[i / (rows * inner) * inner + i % inner] += states[0][i] / rows;
    }
    double[] update = new double[g.length];
    double squares = 0;
    for (int i = 0; i < g.length; i++) {
      double r = states[0][rowOf(i, columns, inner)] / mean[i / (rows * columns * inner) * inner + i % inner];
      update[i] = g[i] / Math.sqrt(r) / Math.sqrt(states[1][columnOf(i, rows, columns, inner)]);
      squares += update[i] * update[i];
    }
    double clip = Math.max(1, Math.sqrt(squares / g.length));
    for (int i = 0; i < g.length; i++) {
      w[i] = w[i] - decay * lr * w[i] - lr * update[i] / clip;
    }
  }

  private static int rowOf(int i, int columns, int inner) {
    return i / (columns * inner) * inner + i % inner;
  }

  private static int columnOf(int i, int rows, int columns, int inner) {
    return i / (rows * columns * inner) * columns * inner + i % (columns * inner);
  }

  @Test
  void adafactorOfAVectorMatchesItsFormula() {
    int n = 100;
    float[] w = gaussian(1, n);
    float[] v = new float[n];
    double[] ws = toDouble(w);
    double[] vs = new double[n];
    for (int k = 1; k <= 3; k++) {
      float[] g = gaussian(5 + k, n);
      g[7] = 0;
      Adafactor.step(w, g, v, n, k, 1e-2, 0.01);
      double b = 1 - Math.pow(k, -0.8);
      double squares = 0;
      for (int i = 0; i < n; i++) {
        vs[i] = b * vs[i] + (1 - b) * ((double) g[i] * g[i] + 1e-30);
        squares += g[i] * g[i] / vs[i];
      }
      double clip = Math.max(1, Math.sqrt(squares / n));
      for (int i = 0; i < n; i++) {
        ws[i] = ws[i] - 1e-4 * ws[i] - 1e-2 * g[i] / Math.sqrt(vs[i]) / clip;
      }
    }
    assertClose("w", ws, w, TOLERANCE);
  }

  @Test
  void adafactorCountsStepsFromOne() {
    float[] one = {1};
    assertThrows(IllegalArgumentException.class, () -> Adafactor.step(one, one, one, 1, 0, 1, 0));
  }

  @Test
  void resultsNeverChangeBits() {
    float[] g = gaussian(1, 40_003);
    assertReproducible(() -> {
      float[] w = g.clone();
      AdamW.step(w, g, g.clone(), new float[w.length], w.length, 1e-2, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001);
      return w;
    });
    assertReproducible(() -> {
      float[] w = g.clone();
      Adafactor.step(w, g, new float[200], new float[200], 1, 200, 200, 1, 1, 1e-2, 0.01);
      Adafactor.step(w, g, new float[3 * 37 * 30], new float[3 * 37 * 30], 37, 3, 3, 30, 1, 1e-2, 0.01);
      return w;
    });
  }
}
