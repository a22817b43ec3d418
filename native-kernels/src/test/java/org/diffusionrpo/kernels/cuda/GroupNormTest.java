package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GroupNormTest extends OnDevice {
  private static final float EPS = 1e-5f;
  private static final double TOLERANCE = 5e-6;
  /** Around a mean of 1000, values have four digits less. */
  private static final double OFFSET_TOLERANCE = 5e-4;

  private final GroupNorm norm = new GroupNorm(device);

  /** One problem, on the host. */
  private static final class Case {
    final int samples;
    final int positions;
    final int channels;
    final int groups;
    final float[] x;
    final float[] gamma;
    final float[] beta;
    final float[] dy;
    final float[] mean;
    final float[] rstd;
    final float[] dGamma;
    final float[] dBeta;

    Case(int samples, int positions, int channels, int groups, float offset) {
      this.samples = samples;
      this.positions = positions;
      this.channels = channels;
      this.groups = groups;
      x = gaussian(1, samples * positions * channels);
      for (int i = 0; i < x.length; i++) {
        x[i] += offset;
      }
      gamma = gaussian(2, channels);
      beta = gaussian(3, channels);
      dy = gaussian(4, x.length);
      mean = new float[samples * groups];
      rstd = new float[mean.length];
      dGamma = gaussian(5, channels);
      dBeta = gaussian(6, channels);
    }

    float[] forwardOnCpu(boolean silu) {
      float[] y = new float[x.length];
      if (silu) {
        org.diffusionrpo.kernels.cpu.GroupNorm.forwardSilu(y, mean, rstd, x, gamma, beta, samples, positions, channels,
            groups, EPS);
      } else {
        org.diffusionrpo.kernels.cpu.GroupNorm.forward(y, mean, rstd, x, gamma, beta, samples, positions, channels,
            groups, EPS);
      }
      return y;
    }

    float[] backwardOnCpu(boolean silu) {
      float[] dx = new float[x.length];
      if (silu) {
        org.diffusionrpo.kernels.cpu.GroupNorm.backwardSilu(dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd, samples,
            positions, channels, groups);
      } else {
        org.diffusionrpo.kernels.cpu.GroupNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, samples,
            positions, channels, groups);
      }
      return dx;
    }
  }

  private void forward(boolean silu, DeviceBuffer y, DeviceBuffer mean, DeviceBuffer rstd, DeviceBuffer x, Case c) {
    if (silu) {
      norm.forwardSilu(y, mean, rstd, x, upload(c.gamma), upload(c.beta), c.samples, c.positions, c.channels, c.groups,
          EPS);
    } else {
      norm.forward(y, mean, rstd, x, upload(c.gamma), upload(c.beta), c.samples, c.positions, c.channels, c.groups,
          EPS);
    }
  }

  private void backward(boolean silu, DeviceBuffer dx, DeviceBuffer dGamma, DeviceBuffer dBeta, DeviceBuffer dy,
      DeviceBuffer x, DeviceBuffer mean, DeviceBuffer rstd, Case c) {
    if (silu) {
      norm.backwardSilu(dx, dGamma, dBeta, dy, x, upload(c.gamma), upload(c.beta), mean, rstd, c.samples, c.positions,
          c.channels, c.groups);
    } else {
      norm.backward(dx, dGamma, dBeta, dy, x, upload(c.gamma), mean, rstd, c.samples, c.positions, c.channels,
          c.groups);
    }
  }

  /** Groups of one channel and of all, channels that float4 does not divide, several chunks and tiles. */
  @ParameterizedTest
  @CsvSource({"1,1,3,1,0,false", "2,15,12,4,0,false", "3,4,7,7,0,false", "2,1100,72,6,0,false", "1,37,66,3,0,false",
      "2,2000,4,2,0,true", "1,40,320,32,0,true", "2,700,66,11,1000,false", "1,300,1,1,1000,false"})
  void matchesTheCpu(int samples, int positions, int channels, int groups, float offset, boolean odd) {
    for (boolean silu : new boolean[] {false, true}) {
      Case c = new Case(samples, positions, channels, groups, offset);
      double tolerance = offset == 0 ? TOLERANCE : OFFSET_TOLERANCE;
      DeviceBuffer x = upload(c.x, odd);
      DeviceBuffer y = empty(c.x.length);
      DeviceBuffer mean = empty(c.mean.length);
      DeviceBuffer rstd = empty(c.mean.length);
      forward(silu, y, mean, rstd, x, c);
      assertClose("y", c.forwardOnCpu(silu), read(y, c.x.length), tolerance);
      assertClose("mean", c.mean, read(mean, c.mean.length), TOLERANCE);
      assertClose("rstd", c.rstd, read(rstd, c.mean.length), tolerance);

      DeviceBuffer dy = upload(c.dy, odd);
      DeviceBuffer dGamma = upload(c.dGamma);
      DeviceBuffer dBeta = upload(c.dBeta);
      backward(silu, dy, dGamma, dBeta, dy, x, mean, rstd, c); // in place
      assertClose("dx", c.backwardOnCpu(silu), read(dy, c.x.length), tolerance);
      assertClose("dGamma", c.dGamma, read(dGamma, channels), tolerance);
      assertClose("dBeta", c.dBeta, read(dBeta, channels), tolerance);
    }
  }

  @Test
  void frozenParametersChangeNothingElse() {
    Case c = new Case(2, 50, 12, 4, 0);
    c.forwardOnCpu(true);
    DeviceBuffer x = upload(c.x);
    DeviceBuffer mean = upload(c.mean);
    DeviceBuffer rstd = upload(c.rstd);
    DeviceBuffer dx = empty(c.x.length);
    for (boolean silu : new boolean[] {false, true}) {
      DeviceBuffer dGamma = upload(c.dGamma);
      DeviceBuffer dBeta = upload(c.dBeta);
      backward(silu, dx, dGamma, dBeta, upload(c.dy), x, mean, rstd, c);
      float[] expected = read(dx, c.x.length);
      DeviceBuffer gammaAlone = upload(c.dGamma);
      DeviceBuffer betaAlone = upload(c.dBeta);
      backward(silu, dx, gammaAlone, null, upload(c.dy), x, mean, rstd, c);
      assertArrayEquals(read(dGamma, 12), read(gammaAlone, 12));
      backward(silu, dx, null, betaAlone, upload(c.dy), x, mean, rstd, c);
      assertArrayEquals(read(dBeta, 12), read(betaAlone, 12));
      backward(silu, dx, null, null, upload(c.dy), x, mean, rstd, c);
      assertArrayEquals(expected, read(dx, c.x.length));
    }
  }

  @Test
  void writesOverItsInput() {
    Case c = new Case(2, 50, 12, 4, 0);
    DeviceBuffer x = upload(c.x);
    forward(true, x, empty(c.mean.length), empty(c.mean.length), x, c);
    assertClose("y", c.forwardOnCpu(true), read(x, c.x.length), TOLERANCE);
  }

  @Test
  void aSampleHasTheSameBitsInEveryBatchAndRun() {
    Case c = new Case(3, 900, 64, 8, 0);
    DeviceBuffer x = upload(c.x);
    DeviceBuffer y = empty(c.x.length);
    assertReproducible(() -> {
      forward(true, y, empty(c.mean.length), empty(c.mean.length), x, c);
      return read(y, c.x.length);
    });
    int size = c.x.length / 3;
    float[] last = Arrays.copyOfRange(read(y, c.x.length), 2 * size, 3 * size);
    DeviceBuffer alone = empty(size);
    norm.forwardSilu(alone, empty(8), empty(8), x.at(4L * 2 * size), upload(c.gamma), upload(c.beta), 1, 900, 64, 8,
        EPS);
    assertArrayEquals(last, read(alone, size));
  }

  @Test
  void anOutlierInFrontDoesNotHideTheOthers() {
    float[] x = new float[512];
    for (int i = 0; i < x.length; i++) {
      x[i] = i == 0 ? 1000 : (i % 7 - 3) * 1e-3f;
    }
    float[] mean = new float[1];
    float[] rstd = new float[1];
    float[] y = new float[x.length];
    org.diffusionrpo.kernels.cpu.GroupNorm.forward(y, mean, rstd, x, new float[] {1}, new float[1], 1, 512, 1, 1, EPS);
    DeviceBuffer deviceRstd = empty(1);
    norm.forward(empty(x.length), empty(1), deviceRstd, upload(x), upload(1), upload(0), 1, 512, 1, 1, EPS);
    assertEquals(1, read(deviceRstd, 1)[0] / rstd[0], 1e-4);
  }

  @Test
  void aNanSpoilsItsGroupAlone() {
    Case c = new Case(1, 100, 8, 2, 0);
    c.x[50 * 8] = Float.NaN;
    DeviceBuffer y = empty(c.x.length);
    forward(false, y, empty(2), empty(2), upload(c.x), c);
    float[] result = read(y, c.x.length);
    for (int i = 0; i < result.length; i++) {
      assertEquals(i % 8 < 4, Float.isNaN(result[i]), "element " + i);
    }
  }

  @Test
  void groupsThatDoNotDivideAreRefused() {
    String message = assertThrows(IllegalArgumentException.class,
        () -> norm.forward(null, null, null, null, null, null, 1, 1, 10, 3, EPS)).getMessage();
    assertTrue(message.contains("3 groups do not divide 10 channels"), message);
  }
}
