package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Random;
import java.util.function.Supplier;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * What tests of kernels share: the device, and values on it. On the emulated device, buffers have exactly the size of
 * their values and each access is checked for its bounds, and in shared memory for races; the threads run in an order
 * that no kernel may rely on.
 */
abstract class OnDevice {
  static CudaDevice device;

  @BeforeAll
  static void open() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
      CudaEmulator.set(Knob.RACE_CHECK, "true");
      CudaEmulator.set(Knob.THREAD_ORDER, "shuffled");
    }
    device = TestGpu.open(TestGpu.options());
  }

  @AfterAll
  static void close() {
    if (device != null) {
      device.close();
      device = null;
    }
  }

  static float[] gaussian(long seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  static DeviceBuffer upload(float... values) {
    return upload(values, false);
  }

  /** {@code odd}: at an address that float4 cannot be read from. */
  static DeviceBuffer upload(float[] values, boolean odd) {
    DeviceBuffer buffer = empty(values.length, odd);
    device.memory().write(buffer, 0, values, values.length);
    return buffer;
  }

  static DeviceBuffer upload(short[] values, boolean odd) {
    int skip = odd ? Short.BYTES : 0;
    DeviceBuffer buffer = device.memory().take((long) values.length * Short.BYTES + skip).at(skip);
    device.memory().write(buffer, 0, values, values.length);
    return buffer;
  }

  static DeviceBuffer empty(int floats) {
    return empty(floats, false);
  }

  static DeviceBuffer empty(int floats, boolean odd) {
    int skip = odd ? Float.BYTES : 0;
    return device.memory().take((long) floats * Float.BYTES + skip).at(skip);
  }

  static float[] read(DeviceBuffer x, int n) {
    float[] values = new float[n];
    device.memory().read(values, x);
    return values;
  }

  static short[] readHalves(DeviceBuffer x, int n) {
    short[] values = new short[n];
    device.memory().read(values, x);
    return values;
  }

  /** The worst difference is at most {@code tolerance} times the largest expected magnitude. */
  static void assertClose(String what, float[] expected, float[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    double largest = Double.MIN_NORMAL;
    for (float e : expected) {
      largest = Math.max(largest, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      assertTrue(Math.abs((double) expected[i] - actual[i]) <= tolerance * largest,
          () -> what + "[" + at + "]: expected " + expected[at] + ", got " + actual[at]);
    }
  }

  /** Equal to the last bit on repetition. */
  static void assertReproducible(Supplier<float[]> kernel) {
    float[] first = kernel.get();
    for (int i = 0; i < 3; i++) {
      assertArrayEquals(first, kernel.get(), "call " + i);
    }
  }
}
