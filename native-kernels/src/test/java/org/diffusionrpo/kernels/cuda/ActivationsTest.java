package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationsTest extends OnDevice {
  /** Both sides have a few units in the last place. */
  private static final double TOLERANCE = 1e-6;
  /** Of one value: the argument's rounding counts x^2 times where the normal distribution has died down. */
  private static final double TAIL_TOLERANCE = 1e-5;

  private final Activations activations = new Activations(device);

  private interface Forward {
    void run(DeviceBuffer y, DeviceBuffer x, long n);
  }

  private interface Backward {
    void run(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, long n);
  }

  private interface CpuForward {
    void run(float[] y, float[] x, int n);
  }

  private interface CpuBackward {
    void run(float[] dx, float[] dy, float[] x, int n);
  }

  @ParameterizedTest
  @CsvSource({"1,false", "3,false", "8,false", "4099,false", "4096,true"})
  void matchTheCpu(int n, boolean odd) {
    check("silu", n, odd, activations::siluForward, activations::siluBackward,
        org.diffusionrpo.kernels.cpu.Activations::siluForward,
        org.diffusionrpo.kernels.cpu.Activations::siluBackward);
    check("gelu", n, odd, activations::geluForward, activations::geluBackward,
        org.diffusionrpo.kernels.cpu.Activations::geluForward,
        org.diffusionrpo.kernels.cpu.Activations::geluBackward);
    check("quick gelu", n, odd, activations::quickGeluForward, activations::quickGeluBackward,
        org.diffusionrpo.kernels.cpu.Activations::quickGeluForward,
        org.diffusionrpo.kernels.cpu.Activations::quickGeluBackward);
  }

  private static void check(String name, int n, boolean odd, Forward forward, Backward backward,
      CpuForward cpuForward, CpuBackward cpuBackward) {
    float[] x = gaussian(1, n);
    float[] dy = gaussian(2, n);
    float[] expected = new float[n];
    DeviceBuffer values = upload(x, odd);
    DeviceBuffer y = empty(n);
    forward.run(y, values, n);
    cpuForward.run(expected, x, n);
    assertClose(name, expected, read(y, n), TOLERANCE);
    DeviceBuffer gradient = upload(dy, odd);
    backward.run(gradient, gradient, values, n); // in place
    cpuBackward.run(expected, dy, x, n);
    assertClose("d " + name, expected, read(gradient, n), TOLERANCE);
  }

  @Test
  void largeArgumentsGiveTheLimit() {
    float[] x = {-3e38f, -1000, -88, 88, 1000, 3e38f, 0, -0f};
    DeviceBuffer values = upload(x);
    DeviceBuffer ones = upload(1, 1, 1, 1, 1, 1, 1, 1);
    DeviceBuffer y = empty(x.length);
    for (Forward forward : new Forward[] {activations::siluForward, activations::geluForward,
        activations::quickGeluForward}) {
      forward.run(y, values, x.length);
      float[] result = read(y, x.length);
      for (int i = 0; i < x.length; i++) {
        assertEquals(Math.max(x[i], 0), result[i], 1e-30, "at " + x[i]);
      }
    }
    for (Backward backward : new Backward[] {activations::siluBackward, activations::geluBackward,
        activations::quickGeluBackward}) {
      backward.run(y, ones, values, x.length);
      float[] result = read(y, x.length);
      for (int i = 0; i < x.length; i++) {
        assertEquals(x[i] > 0 ? 1 : x[i] < 0 ? 0 : 0.5, result[i], 1e-30, "slope at " + x[i]);
      }
    }
  }

  /** 1 + erf would have lost every digit here. */
  @Test
  void geluKeepsItsDigitsInTheTail() {
    float[] x = {-3, -5, -7, -9};
    float[] expected = new float[x.length];
    org.diffusionrpo.kernels.cpu.Activations.geluForward(expected, x, x.length);
    DeviceBuffer y = empty(x.length);
    activations.geluForward(y, upload(x), x.length);
    float[] result = read(y, x.length);
    for (int i = 0; i < x.length; i++) {
      assertEquals(1, result[i] / expected[i], TAIL_TOLERANCE, "at " + x[i]);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,false", "3,5,false", "70,64,false", "70,64,true", "5,33,false"})
  void gegluMatchesTheCpu(int rows, int columns, boolean odd) {
    float[] x = gaussian(1, rows * 2 * columns);
    float[] dy = gaussian(2, rows * columns);
    float[] y = new float[dy.length];
    float[] dx = new float[x.length];
    DeviceBuffer values = upload(x, odd);
    DeviceBuffer result = empty(y.length);
    activations.gegluForward(result, values, rows, columns);
    org.diffusionrpo.kernels.cpu.Activations.gegluForward(y, x, rows, columns);
    assertClose("geglu", y, read(result, y.length), TOLERANCE);
    activations.gegluBackward(values, upload(dy), values, rows, columns); // in place
    org.diffusionrpo.kernels.cpu.Activations.gegluBackward(dx, dy, x, rows, columns);
    assertClose("d geglu", dx, read(values, dx.length), TOLERANCE);
  }
}
