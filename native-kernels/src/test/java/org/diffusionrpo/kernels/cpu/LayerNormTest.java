package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerNormTest {
  private static final float EPS = 1e-5f;
  /** Some roundings of float (6e-8 each) per element. */
  private static final double TOLERANCE = 2e-6;
  /** Central differences in double with step 1e-5. */
  private static final double DIFFERENCES = 1e-7;

  @ParameterizedTest
  @CsvSource({"1,1", "2,2", "1,3", "3,3", "2,7", "5,15", "7,16", "33,17", "2,31", "100,33",
      "17,100", "300,320", "3,1025", "77,768"})
  void forwardAndBackwardMatchTheDefinition(int rows, int columns) {
    float[] x = gaussian(1, rows * columns);
    float[] dy = gaussian(2, rows * columns);
    float[] gamma = gaussian(3, columns);
    float[] beta = gaussian(4, columns);
    NormOracle oracle = NormOracle.layerNorm(rows, columns, EPS);
    float[] y = new float[x.length];
    float[] mean = new float[rows];
    float[] rstd = new float[rows];
    LayerNorm.forward(y, mean, rstd, x, gamma, beta, rows, columns, EPS);
    double[] xs = toDouble(x);
    assertClose("y", oracle.forward(xs, toDouble(gamma), toDouble(beta)), y, TOLERANCE);
    assertClose("mean", oracle.mean(xs), mean, TOLERANCE);
    assertClose("rstd", oracle.rstd(xs), rstd, TOLERANCE);

    float[] dx = new float[x.length];
    float[] dGamma = new float[columns];
    float[] dBeta = new float[columns];
    LayerNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, rows, columns);
    double[] dys = toDouble(dy);
    if (columns > 2) { // the gradient of one or two values is 0, no scale to compare with
      assertClose("dx", oracle.dx(dys, xs, toDouble(gamma)), dx, TOLERANCE);
    }
    assertClose("dGamma", oracle.dGamma(dys, xs), dGamma, TOLERANCE);
    assertClose("dBeta", oracle.dBeta(dys), dBeta, TOLERANCE);
  }

  @Test
  void theDefinitionsGradientMatchesFiniteDifferences() {
    NormOracle oracle = NormOracle.layerNorm(5, 9, EPS);
    double[] x = toDouble(gaussian(1, 45));
    double[] dy = toDouble(gaussian(2, 45));
    double[] gamma = toDouble(gaussian(3, 9));
    double[] beta = toDouble(gaussian(4, 9));
    assertClose("dx", numericalGradient(v -> oracle.forward(v, gamma, beta), x, dy), oracle.dx(dy, x, gamma),
        DIFFERENCES);
    assertClose("dGamma", numericalGradient(v -> oracle.forward(x, v, beta), gamma, dy), oracle.dGamma(dy, x),
        DIFFERENCES);
  }

  @Test
  void gradientsAreAddedAndFrozenOnesSkipped() {
    float[] x = gaussian(1, 40 * 35);
    float[] dy = gaussian(2, x.length);
    float[] gamma = gaussian(3, 35);
    float[] mean = gaussian(4, 40);
    float[] rstd = gaussian(5, 40);
    float[] dx = new float[x.length];
    float[] once = new float[35];
    float[] twice = new float[35];
    LayerNorm.backward(dx, null, once, dy, x, gamma, mean, rstd, 40, 35);
    LayerNorm.backward(dx, new float[35], twice, dy, x, gamma, mean, rstd, 40, 35);
    LayerNorm.backward(dx, null, twice, dy, x, gamma, mean, rstd, 40, 35);
    for (int c = 0; c < 35; c++) {
      assertEquals(2 * once[c], twice[c]);
    }
    float[] gammaGradient = new float[35];
    float[] inPlaceGradient = new float[35];
    LayerNorm.backward(dx, gammaGradient, null, dy, x, gamma, mean, rstd, 40, 35);
    LayerNorm.backward(dy, inPlaceGradient, null, dy, x, gamma, mean, rstd, 40, 35);
    assertArrayEquals(dx, dy, "dx may be dy");
    assertArrayEquals(gammaGradient, inPlaceGradient);
  }

  @Test
  void aLargeOffsetKeepsItsStatistics() {
    float[] x = gaussian(1, 3 * 333);
    for (int i = 0; i < x.length; i++) {
      x[i] += 10_000;
    }
    float[] mean = new float[3];
    float[] rstd = new float[3];
    LayerNorm.forward(new float[x.length], mean, rstd, x, new float[333], new float[333], 3, 333, EPS);
    NormOracle oracle = NormOracle.layerNorm(3, 333, EPS);
    assertClose("mean", oracle.mean(toDouble(x)), mean, 1e-7);
    assertClose("rstd", oracle.rstd(toDouble(x)), rstd, 1e-6);
  }

  @Test
  void constantRowsGiveBeta() {
    float[] x = new float[2 * 50];
    Arrays.fill(x, -54_321f);
    float[] beta = gaussian(1, 50);
    float[] y = new float[x.length];
    LayerNorm.forward(y, new float[2], new float[2], x, gaussian(2, 50), beta, 2, 50, EPS);
    for (int i = 0; i < y.length; i++) {
      assertEquals(beta[i % 50], y[i]);
    }
  }

  @Test
  void resultsNeverChangeBits() {
    int rows = 700;
    int columns = 71;
    float[] x = gaussian(1, rows * columns);
    float[] dy = gaussian(2, x.length);
    float[] gamma = gaussian(3, columns);
    assertReproducible(() -> {
      float[] y = new float[x.length];
      float[] mean = new float[rows];
      float[] rstd = new float[rows];
      LayerNorm.forward(y, mean, rstd, x, gamma, gamma, rows, columns, EPS);
      float[] dx = new float[x.length];
      float[] dGamma = new float[columns];
      float[] dBeta = new float[columns];
      LayerNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, rows, columns);
      float[] all = Arrays.copyOf(y, 2 * y.length + 2 * columns);
      System.arraycopy(dx, 0, all, y.length, dx.length);
      System.arraycopy(dGamma, 0, all, 2 * y.length, columns);
      System.arraycopy(dBeta, 0, all, 2 * y.length + columns, columns);
      return all;
    });
  }
}
