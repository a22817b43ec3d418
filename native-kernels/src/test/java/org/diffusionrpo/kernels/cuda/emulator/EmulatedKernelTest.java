package org.diffusionrpo.kernels.cuda.emulator;

import static org.diffusionrpo.kernels.cuda.emulator.EmulatedDevice.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels without a fault compute what they say, in every order of their threads. */
class EmulatedKernelTest {
  private EmulatedDevice device;

  @BeforeEach void open() {
    device = EmulatedDevice.open();
  }

  @AfterEach void close() {
    if (device != null) {
      device.close();
    }
  }

  @ParameterizedTest @CsvSource({"forward,1", "reverse,1", "shuffled,1", "forward,3"})
  void gridStrideLoopCoversEveryElement(String order, String workers) {
    CudaEmulator.set(Knob.THREAD_ORDER, order);
    CudaEmulator.set(Knob.WORKERS, workers);
    int n = 100_007;
    float[] x = gaussian(n, 1);
    CUdeviceptr y = device.allocate(4L * n);
    run("silu", 77, 256, 0, device.upload(x), y, (long) n);
    float[] got = device.floats(y, n);
    for (int i = 0; i < n; i++) {
      assertEquals(x[i] / (1 + Math.exp(-x[i])), got[i], 1e-6);
    }
  }

  @ParameterizedTest @ValueSource(strings = {"forward", "reverse", "shuffled"})
  void blockSumsThroughSharedMemory(String order) {
    CudaEmulator.set(Knob.THREAD_ORDER, order);
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    float[] x = new float[3 * 64], expected = new float[6];
    for (int i = 0; i < x.length; i++) {
      x[i] = i;
      expected[i / 64 * 2] += i;
      expected[i / 64 * 2 + 1] += i % 64 < 32 ? i : 0;
    }
    CUdeviceptr y = device.allocate(4 * 6);
    run("blockSums", 3, 64, 0, device.upload(x), y);
    assertArrayEquals(expected, device.floats(y, 6));
  }

  @ParameterizedTest @ValueSource(strings = {"forward", "reverse", "shuffled"})
  void warpsExchangeValues(String order) {
    CudaEmulator.set(Knob.THREAD_ORDER, order);
    float[] x = new float[64], sums = new float[64], halves = new float[32];
    for (int i = 0; i < 64; i++) {
      x[i] = i;
      sums[i] = i < 32 ? 496 : 496 + 1024;
    }
    for (int i = 0; i < 32; i++) {
      float own = i < 16 ? 120 : 31, next = i + 1 < 16 ? 120 : 31;
      halves[i] = own + next;
    }
    CUdeviceptr in = device.upload(x), y = device.allocate(256);
    run("warpSums", 1, 64, 0, in, y);
    assertArrayEquals(sums, device.floats(y, 64));
    run("halfWarps", 1, 32, 0, in, y);
    assertArrayEquals(halves, device.floats(y, 32));
  }

  @Test void dynamicSharedMemoryIsSharedByTheBlock() {
    CUdeviceptr y = device.allocate(4 * 5);
    run("reversed", 1, 3, 20, device.upload(1, 2, 3, 4, 5), y, 5);
    assertArrayEquals(new float[] {5, 4, 3, 2, 1}, device.floats(y, 5));
  }

  /** Fibers run inside native calls of several threads while garbage is collected. */
  @Test void threadsOfTheHostShareTheDevice() {
    CUfunction kernel = device.kernel("good.cu", "warpSums");
    long wrong = IntStream.range(0, 4).parallel().mapToLong(thread -> {
      CUstream stream = new CUstream();
      check(device.makeCurrent());
      check(JCudaDriver.cuStreamCreate(stream, 1));
      CUdeviceptr x = device.upload(new float[32]), y = device.allocate(128);
      float[] got = new float[32];
      int errors = 0;
      for (int i = 0; i < 100; i++) {
        float[] values = new float[4096]; // garbage
        Arrays.fill(values, thread + i);
        check(JCudaDriver.cuMemcpyHtoD(x, Pointer.to(values), 128));
        check(device.launchOn(stream, kernel, 1, 32, 0, x, y));
        check(JCudaDriver.cuStreamSynchronize(stream));
        check(JCudaDriver.cuMemcpyDtoH(Pointer.to(got), y, 128));
        errors += got[31] == 32 * (thread + i) ? 0 : 1;
      }
      check(JCudaDriver.cuStreamDestroy(stream));
      return errors;
    }).sum();
    assertEquals(0, wrong);
  }

  @Test void atomicsCountEveryThreadOnce() {
    CudaEmulator.set(Knob.WORKERS, "3");
    int n = 50 * 256;
    float[] x = gaussian(4 * n, 2);
    CUdeviceptr counter = device.allocate(4), y = device.allocate(16L * n);
    check(JCudaDriver.cuMemsetD32(counter, 0, 1));
    run("countAll", 50, 256, 0, counter, device.upload(x), y, n);
    assertArrayEquals(x, device.floats(y, 4 * n));
    assertEquals(n, Float.floatToRawIntBits(device.floats(counter, 1)[0]));
  }

  /** Fragments filled by the table of the PTX manual, against the plain product of the matrices. */
  @ParameterizedTest @CsvSource({"16,false", "16,true", "8,false"})
  void warpMatrixProductHasTheLayoutOfPtx(int depth, boolean bfloat16) {
    float[] a = smallNumbers(16 * depth, 3), b = smallNumbers(depth * 8, 4), c = gaussian(16 * 8, 5);
    short[] aFragments = new short[32 * depth / 2], bFragments = new short[32 * depth / 4];
    float[] cFragments = new float[32 * 4], expected = new float[32 * 4];
    for (int lane = 0; lane < 32; lane++) {
      int group = lane / 4, quad = lane % 4;
      for (int i = 0; i < depth / 2; i++) { // element i of the lane's fragment of A
        int row = i / 2 % 2 == 0 ? group : group + 8, column = quad * 2 + i % 2 + i / 4 * 8;
        aFragments[lane * depth / 2 + i] = bits(a[row * depth + column], bfloat16);
      }
      for (int i = 0; i < depth / 4; i++) {
        int row = quad * 2 + i % 2 + i / 2 * 8;
        bFragments[lane * depth / 4 + i] = bits(b[row * 8 + group], bfloat16);
      }
      for (int i = 0; i < 4; i++) {
        int row = group + i / 2 * 8, column = quad * 2 + i % 2;
        cFragments[lane * 4 + i] = c[row * 8 + column];
        double sum = c[row * 8 + column];
        for (int k = 0; k < depth; k++) {
          sum += a[row * depth + k] * b[k * 8 + column];
        }
        expected[lane * 4 + i] = (float) sum;
      }
    }
    CUdeviceptr as = device.upload(aFragments), bs = device.upload(bFragments), cs = device.upload(cFragments);
    CUdeviceptr d = device.allocate(4 * 32 * 4);
    if (depth == 16) {
      run("product16", 1, 32, 0, as, bs, cs, d, bfloat16 ? 1 : 0);
    } else {
      run("product8", 1, 32, 0, as, bs, cs, d);
    }
    assertArrayEquals(expected, device.floats(d, 128), 1e-4f);
  }

  @Test void halvesRoundToNearestEven() {
    float[] x = {0f, -0f, 1f, -2.5f, 65504f, 65519.99f, 65520f, 1e30f, 6e-8f, 2.98e-8f, 2.99e-8f, 1e-9f, 0.1f, 2049f,
        2051f, Float.POSITIVE_INFINITY, -6.104e-5f, 6.1e-5f};
    CUdeviceptr h = device.allocate(2L * x.length), back = device.allocate(4L * x.length);
    run("halves", 1, 32, 0, device.upload(x), h, back, x.length);
    int[] expected = {0x0000, 0x8000, 0x3c00, 0xc100, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 0x0001, 0x0000, 0x0001, 0x0000,
        0x2e66, 0x6800, 0x6802, 0x7c00, 0x8400, 0x03ff};
    short[] got = device.shorts(h, x.length);
    float[] again = device.floats(back, x.length);
    for (int i = 0; i < x.length; i++) {
      assertEquals(Integer.toHexString(expected[i]), Integer.toHexString(got[i] & 0xffff), "of " + x[i]);
      assertEquals(half(expected[i]), again[i]);
    }
  }

  private void run(String kernel, int blocks, int threads, int shared, Object... arguments) {
    check(device.launch(device.kernel("good.cu", kernel), blocks, threads, shared, arguments));
    check(device.synchronise());
  }

  /** Numbers that both 16-bit formats hold exactly. */
  private static float[] smallNumbers(int n, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (random.nextInt(255) - 127) / 16f;
    }
    return values;
  }

  /** Bits of a number that the format holds exactly and that is not subnormal in it. */
  static short bits(float value, boolean bfloat16) {
    int bits = Float.floatToRawIntBits(value);
    if (bfloat16 || value == 0) {
      return (short) (bits >>> 16);
    }
    return (short) (bits >>> 16 & 0x8000 | ((bits >>> 23 & 255) - 112) << 10 | bits >>> 13 & 0x3ff);
  }

  /** The value of a half. */
  static float half(int bits) {
    int exponent = bits >>> 10 & 31, mantissa = bits & 1023;
    double magnitude = exponent == 31 ? Double.POSITIVE_INFINITY
        : exponent == 0 ? mantissa * 0x1p-24 : (1024 + mantissa) * Math.pow(2, exponent - 25);
    return (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
  }

  static float[] gaussian(int n, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
