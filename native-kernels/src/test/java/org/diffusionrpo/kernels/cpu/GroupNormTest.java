package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GroupNormTest {
  private static final float EPS = 1e-5f;
  /** Some roundings of float (6e-8 each) per element; measured 4e-7. */
  private static final double TOLERANCE = 2e-6;
  /** Central differences in double with step 1e-5. */
  private static final double DIFFERENCES = 1e-7;

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "2,3,6,2", "1,7,15,3", "3,16,17,1", "2,33,32,32", "1,100,31,31", "2,1025,20,4", "1,129,320,32",
      "2,65,1280,32", "1,4,1920,32"})
  void forwardAndBackwardMatchTheDefinition(int samples, int positions, int channels, int groups) {
    int n = samples * positions * channels;
    float[] x = gaussian(1, n);
    float[] dy = gaussian(2, n);
    float[] gamma = gaussian(3, channels);
    float[] beta = gaussian(4, channels);
    NormOracle oracle = NormOracle.groupNorm(samples, positions, channels, groups, EPS);
    float[] y = new float[n];
    float[] mean = new float[samples * groups];
    float[] rstd = new float[samples * groups];
    GroupNorm.forward(y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, EPS);
    double[] xs = toDouble(x);
    assertClose("y", oracle.forward(xs, toDouble(gamma), toDouble(beta)), y, TOLERANCE);
    assertClose("mean", oracle.mean(xs), mean, TOLERANCE);
    assertClose("rstd", oracle.rstd(xs), rstd, TOLERANCE);

    float[] dx = new float[n];
    float[] dGamma = new float[channels];
    float[] dBeta = new float[channels];
    GroupNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, samples, positions, channels, groups);
    double[] dys = toDouble(dy);
    if (positions * channels / groups > 1) { // the gradient of a group of one value is 0, no scale to compare with
      assertClose("dx", oracle.dx(dys, xs, toDouble(gamma)), dx, TOLERANCE);
      assertClose("dGamma", oracle.dGamma(dys, xs), dGamma, TOLERANCE);
    }
    assertClose("dBeta", oracle.dBeta(dys), dBeta, TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1,7,15,3", "2,33,32,32", "2,1025,20,4", "1,129,320,32", "1,4,1920,32"})
  void withSiluItIsTheNormThenSilu(int samples, int positions, int channels, int groups) {
    int n = samples * positions * channels;
    float[] x = gaussian(1, n);
    float[] dy = gaussian(2, n);
    float[] gamma = gaussian(3, channels);
    float[] beta = gaussian(4, channels);
    NormOracle oracle = NormOracle.groupNorm(samples, positions, channels, groups, EPS);
    float[] y = new float[n];
    float[] mean = new float[samples * groups];
    float[] rstd = new float[samples * groups];
    GroupNorm.forwardSilu(y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, EPS);
    double[] xs = toDouble(x);
    double[] h = oracle.forward(xs, toDouble(gamma), toDouble(beta));
    double[] dh = new double[n];
    double[] expected = new double[n];
    for (int i = 0; i < n; i++) {
      double sigmoid = 1 / (1 + Math.exp(-h[i]));
      expected[i] = h[i] * sigmoid;
      dh[i] = dy[i] * sigmoid * (1 + h[i] * (1 - sigmoid));
    }
    assertClose("y", expected, y, TOLERANCE);

    float[] dx = new float[n];
    float[] dGamma = new float[channels];
    float[] dBeta = new float[channels];
    GroupNorm.backwardSilu(dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd, samples, positions, channels, groups);
    assertClose("dx", oracle.dx(dh, xs, toDouble(gamma)), dx, TOLERANCE);
    assertClose("dGamma", oracle.dGamma(dh, xs), dGamma, TOLERANCE);
    assertClose("dBeta", oracle.dBeta(dh), dBeta, TOLERANCE);
    GroupNorm.backwardSilu(dy, null, null, dy, x, gamma, beta, mean, rstd, samples, positions, channels, groups);
    assertTrue(Arrays.equals(dx, dy), "dx may be dy");
    GroupNorm.forwardSilu(x, mean, rstd, x, gamma, beta, samples, positions, channels, groups, EPS);
    assertTrue(Arrays.equals(y, x), "y may be x");
  }

  @Test
  void theDefinitionsGradientMatchesFiniteDifferences() {
    NormOracle oracle = NormOracle.groupNorm(2, 5, 12, 3, EPS);
    double[] x = toDouble(gaussian(1, 120));
    double[] dy = toDouble(gaussian(2, 120));
    double[] gamma = toDouble(gaussian(3, 12));
    double[] beta = toDouble(gaussian(4, 12));
    assertClose("dx", numericalGradient(v -> oracle.forward(v, gamma, beta), x, dy), oracle.dx(dy, x, gamma),
        DIFFERENCES);
    assertClose("dGamma", numericalGradient(v -> oracle.forward(x, v, beta), gamma, dy), oracle.dGamma(dy, x),
        DIFFERENCES);
    assertClose("dBeta", numericalGradient(v -> oracle.forward(x, gamma, v), beta, dy), oracle.dBeta(dy), DIFFERENCES);
  }

  @Test
  void gradientsAreAddedAndFrozenOnesSkipped() {
    int channels = 12;
    float[] x = gaussian(1, 10 * channels);
    float[] dy = gaussian(2, 10 * channels);
    float[] gamma = gaussian(3, channels);
    float[] mean = {0.1f, -0.2f, 0.3f};
    float[] rstd = {1, 2, 3};
    float[] once = new float[channels];
    float[] twice = new float[channels];
    float[] beta = new float[channels];
    float[] dx = new float[x.length];
    GroupNorm.backward(dx, once, beta, dy, x, gamma, mean, rstd, 1, 10, channels, 3);
    GroupNorm.backward(new float[x.length], twice, null, dy, x, gamma, mean, rstd, 1, 10, channels, 3);
    GroupNorm.backward(new float[x.length], twice, null, dy, x, gamma, mean, rstd, 1, 10, channels, 3);
    float[] frozen = new float[x.length];
    GroupNorm.backward(frozen, null, null, dy, x, gamma, mean, rstd, 1, 10, channels, 3);
    for (int c = 0; c < channels; c++) {
      assertEquals(2 * once[c], twice[c]);
    }
    assertTrue(Arrays.equals(dx, frozen));
    GroupNorm.backward(dy, null, null, dy, x, gamma, mean, rstd, 1, 10, channels, 3);
    assertTrue(Arrays.equals(dx, dy), "dx may be dy");
  }

  @Test
  void aLargeOffsetKeepsItsStatistics() {
    int positions = 700;
    int channels = 40;
    float[] x = gaussian(1, positions * channels);
    for (int i = 0; i < x.length; i++) {
      x[i] = x[i] + 10_000 + (i > x.length / 2 ? 100 : 0);
    }
    float[] mean = new float[4];
    float[] rstd = new float[4];
    float[] ones = new float[channels];
    Arrays.fill(ones, 1);
    GroupNorm.forward(new float[x.length], mean, rstd, x, ones, new float[channels], 1, positions, channels, 4, EPS);
    NormOracle oracle = NormOracle.groupNorm(1, positions, channels, 4, EPS);
    assertClose("mean", oracle.mean(toDouble(x)), mean, 1e-7);
    assertClose("rstd", oracle.rstd(toDouble(x)), rstd, 1e-6);
  }

  @Test
  void constantGroupsGiveBetaExactly() {
    float[] x = new float[50 * 6];
    Arrays.fill(x, 12_345.678f);
    float[] beta = gaussian(1, 6);
    float[] y = new float[x.length];
    GroupNorm.forward(y, new float[2], new float[2], x, gaussian(2, 6), beta, 1, 50, 6, 2, EPS);
    for (int i = 0; i < y.length; i++) {
      assertEquals(beta[i % 6], y[i]);
    }
  }

  @Test
  void resultsNeverChangeBits() {
    int channels = 52;
    int positions = 900; // several spans, tail columns
    float[] x = gaussian(1, 2 * positions * channels);
    float[] dy = gaussian(2, x.length);
    float[] gamma = gaussian(3, channels);
    assertReproducible(() -> {
      float[] y = new float[x.length];
      float[] mean = new float[8];
      float[] rstd = new float[8];
      GroupNorm.forward(y, mean, rstd, x, gamma, gamma, 2, positions, channels, 4, EPS);
      float[] all = Arrays.copyOf(y, 2 * y.length + 2 * channels);
      float[] dx = new float[x.length];
      float[] dGamma = new float[channels];
      float[] dBeta = new float[channels];
      GroupNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, 2, positions, channels, 4);
      System.arraycopy(dx, 0, all, y.length, dx.length);
      System.arraycopy(dGamma, 0, all, 2 * y.length, channels);
      System.arraycopy(dBeta, 0, all, 2 * y.length + channels, channels);
      return all;
    });
  }

  @Test
  void groupsThatDoNotDivideAreNamed() {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> GroupNorm.forward(new float[10],
        new float[3], new float[3], new float[10], new float[10], new float[10], 1, 1, 10, 3, EPS));
    assertEquals("GroupNorm: 3 groups do not divide 10 channels", e.getMessage());
  }
}
