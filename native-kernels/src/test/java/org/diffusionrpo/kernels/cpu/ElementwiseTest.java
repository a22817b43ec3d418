package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ElementwiseTest {
  /** Float sums over up to 128 rows of scale 1, compared with totals that nearly cancel. */
  private static final double TOLERANCE = 2e-6;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025, 50_001})
  void arithmeticMatchesPlainLoops(int n) {
    float[] a = gaussian(1, n);
    float[] b = gaussian(2, n);
    float[] expected = new float[n];
    float[] y = new float[n];

    Elementwise.add(y, a, b, n);
    for (int i = 0; i < n; i++) {
      expected[i] = a[i] + b[i];
    }
    assertArrayEquals(expected, y);
    float[] sum = a.clone();
    Elementwise.addTo(sum, b, n);
    assertArrayEquals(expected, sum);

    Elementwise.scale(y, a, -2.5f, n);
    for (int i = 0; i < n; i++) {
      expected[i] = -2.5f * a[i];
    }
    assertArrayEquals(expected, y);

    float[] moved = a.clone();
    Elementwise.axpy(moved, 0.3f, b, n);
    for (int i = 0; i < n; i++) {
      expected[i] = Math.fma(0.3f, b[i], a[i]);
    }
    assertArrayEquals(expected, moved);

    float[] average = a.clone();
    Elementwise.lerp(average, b, 0.01f, n);
    for (int i = 0; i < n; i++) {
      assertEquals(a[i] + 0.01 * (b[i] - a[i]), average[i], 1e-6);
    }

    Elementwise.fill(y, 7, n);
    Arrays.fill(expected, 7);
    assertArrayEquals(expected, y);
  }

  @Test
  void elementsBeyondNStayUntouched() {
    float[] y = gaussian(1, 40);
    float[] before = y.clone();
    Elementwise.scale(y, y, 3, 19);
    assertEquals(3 * before[18], y[18]);
    assertArrayEquals(Arrays.copyOfRange(before, 19, 40), Arrays.copyOfRange(y, 19, 40));
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "2,3,5", "3,100,17", "2,1025,33", "1,4096,4", "2,7,1280"})
  void broadcastsAndTheirSumsMatch(int samples, int positions, int channels) {
    float[] x = gaussian(1, samples * positions * channels);
    float[] v = gaussian(2, samples * channels);
    float[] y = new float[x.length];
    Elementwise.addPerSample(y, x, v, samples, positions, channels);
    double[] perSample = toDouble(v);
    double[] overall = toDouble(v);
    for (int i = 0; i < x.length; i++) {
      int vector = i / (positions * channels) * channels + i % channels;
      assertEquals(x[i] + v[vector], y[i]);
      perSample[vector] += x[i];
      overall[i % channels] += x[i];
    }
    float[] dv = v.clone();
    Elementwise.sumPositions(dv, x, samples, positions, channels);
    assertClose("dv", perSample, dv, TOLERANCE);

    Elementwise.addBroadcast(y, x, v, samples * positions, channels);
    assertEquals(x[x.length - 1] + v[channels - 1], y[x.length - 1]);
    dv = v.clone();
    Elementwise.sumRows(dv, x, samples * positions, channels);
    assertClose("dv", Arrays.copyOf(overall, channels), Arrays.copyOf(dv, channels), TOLERANCE);
    Elementwise.sumRows(null, x, samples * positions, channels);
  }

  @Test
  void splitUndoesConcat() {
    float[] a = gaussian(1, 50 * 7);
    float[] b = gaussian(2, 50 * 33);
    float[] y = new float[50 * 40];
    Elementwise.concat(y, a, b, 50, 7, 33);
    assertEquals(a[7], y[40]);
    assertEquals(b[33], y[47]);
    float[] a2 = new float[a.length];
    float[] b2 = new float[b.length];
    Elementwise.split(a2, null, y, 50, 7, 33);
    Elementwise.split(null, b2, y, 50, 7, 33);
    assertArrayEquals(a, a2);
    assertArrayEquals(b, b2);
  }

  @Test
  void resultsNeverChangeBits() {
    float[] x = gaussian(1, 1000 * 41);
    assertReproducible(() -> {
      float[] y = x.clone();
      Elementwise.axpy(y, 0.7f, x, y.length);
      Elementwise.lerp(y, x, 0.1f, y.length);
      Elementwise.sumRows(y, x, 1000, 41);
      return y;
    });
  }
}
