package org.diffusionrpo.kernels.cuda.emulator;

import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardWorkspaceSize;
import static org.diffusionrpo.kernels.cuda.emulator.EmulatedConvolution.FLOAT;
import static org.diffusionrpo.kernels.cuda.emulator.EmulatedConvolution.FMA_MATH;
import static org.diffusionrpo.kernels.cuda.emulator.EmulatedConvolution.ok;
import static org.diffusionrpo.kernels.cuda.emulator.EmulatedKernelTest.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;
import org.diffusionrpo.kernels.cuda.emulator.EmulatedConvolution.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** cuDNN's convolution against plain loops, and the answers around it. */
class EmulatedConvolutionTest {
  /** Sums of up to 400 products of numbers of scale 1. */
  private static final double TOLERANCE = 1e-4;
  private static final Shape USUAL = new Shape(2, 9, 7, 5, 6, 3, 3, 1, 1, 1, true);
  private static final int DETERMINISTIC = 1; // the number of a deterministic algorithm in each direction
  private static final long SPACE = 1 << 20;
  private static final int BAD_PARAM = 2000;
  private static final int NOT_SUPPORTED = 3000;

  private EmulatedDevice device;

  @BeforeEach void open() {
    device = EmulatedDevice.open();
  }

  @AfterEach void close() {
    if (device != null) {
      device.close();
    }
  }

  static Stream<Shape> shapes() {
    return Stream.of(USUAL, new Shape(2, 9, 8, 3, 4, 3, 3, 2, 1, 1, true),
        new Shape(1, 6, 5, 17, 9, 1, 1, 1, 0, 1, true), new Shape(1, 11, 10, 4, 3, 3, 2, 1, 2, 2, true),
        new Shape(2, 7, 6, 3, 5, 3, 3, 2, 1, 1, false));
  }

  @ParameterizedTest @MethodSource("shapes")
  void threeDirectionsMatchPlainLoops(Shape shape) {
    try (EmulatedConvolution conv = new EmulatedConvolution(device, shape, FLOAT, FMA_MATH)) {
      float[] x = gaussian(shape.xSize(), 1), w = gaussian(shape.wSize(), 2), dy = gaussian(shape.ySize(), 3);
      double[] y = new double[dy.length], dx = new double[x.length], dw = new double[w.length];
      conv.plain(y, dx, dw, x, w, dy);
      CUdeviceptr xs = device.upload(x), ws = device.upload(w), dys = device.upload(dy), space = device.allocate(SPACE);
      CUdeviceptr ys = device.allocate(4L * y.length), dxs = device.allocate(4L * x.length),
          dws = device.upload(new float[w.length]);
      ok(conv.forward(ys, xs, ws, DETERMINISTIC, space, SPACE, 0));
      ok(conv.backwardData(dxs, ws, dys, DETERMINISTIC, space, SPACE, 0));
      ok(conv.backwardFilter(dws, xs, dys, DETERMINISTIC, space, SPACE, 1));
      ok(conv.backwardFilter(dws, xs, dys, DETERMINISTIC, space, SPACE, 1)); // adds
      close(y, device.floats(ys, y.length), TOLERANCE);
      close(dx, device.floats(dxs, dx.length), TOLERANCE);
      close(Arrays.stream(dw).map(v -> 2 * v).toArray(), device.floats(dws, dw.length), 2 * TOLERANCE);
    }
  }

  @ParameterizedTest @CsvSource({"2,false", "9,true"})
  void sixteenBitImages(int type, boolean bfloat16) {
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, type, EmulatedConvolution.DEFAULT_MATH)) {
      float[] x = coarse(USUAL.xSize(), 1), w = coarse(USUAL.wSize(), 2), dy = coarse(USUAL.ySize(), 3);
      double[] y = new double[dy.length];
      conv.plain(y, new double[x.length], new double[w.length], x, w, dy);
      CUdeviceptr ys = device.allocate(2L * y.length);
      ok(conv.forward(ys, device.upload(halves(x, bfloat16)), device.upload(halves(w, bfloat16)), 0, null, 0, 0));
      short[] bits = device.shorts(ys, y.length);
      for (int i = 0; i < y.length; i++) {
        float got = bfloat16 ? Float.intBitsToFloat(bits[i] << 16) : EmulatedKernelTest.half(bits[i] & 0xffff);
        assertEquals(y[i], got, TOLERANCE + Math.abs(y[i]) * (bfloat16 ? 0x1p-8 : 0x1p-11));
      }
    }
  }

  @Test void defaultMathRoundsToTf32() {
    float[] x = gaussian(USUAL.xSize(), 1), w = gaussian(USUAL.wSize(), 2);
    assertFalse(Arrays.equals(forward(x, w, EmulatedConvolution.DEFAULT_MATH), forward(x, w, FMA_MATH)));
    for (float[] values : new float[][] {x, w}) {
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.intBitsToFloat(Float.floatToIntBits(values[i]) & ~0x1fff);
      }
    }
    // Numbers that TF32 holds are not changed by rounding.
    assertArrayEquals(forward(x, w, EmulatedConvolution.DEFAULT_MATH), forward(x, w, FMA_MATH));
  }

  private float[] forward(float[] x, float[] w, int math) {
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, math)) {
      CUdeviceptr y = device.allocate(4L * USUAL.ySize());
      ok(conv.forward(y, device.upload(x), device.upload(w), 0, null, 0, 0));
      return device.floats(y, USUAL.ySize());
    }
  }

  @Test void algorithmsWithAtomicsDifferFromRunToRun() {
    Shape large = new Shape(2, 20, 20, 4, 3, 3, 3, 1, 1, 1, true);
    try (EmulatedConvolution conv = new EmulatedConvolution(device, large, FLOAT, FMA_MATH)) {
      CUdeviceptr x = device.upload(gaussian(large.xSize(), 1)), dy = device.upload(gaussian(large.ySize(), 2));
      CUdeviceptr dw = device.allocate(4L * large.wSize()), space = device.allocate(SPACE);
      float[][] results = new float[4][];
      for (int i = 0; i < 4; i++) {
        ok(conv.backwardFilter(dw, x, dy, i < 2 ? 0 : DETERMINISTIC, space, SPACE, 0));
        results[i] = device.floats(dw, large.wSize());
      }
      assertFalse(Arrays.equals(results[0], results[1]));
      assertArrayEquals(results[2], results[3]);
    }
  }

  @Test void algorithmsAreListedBestFirst() {
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, FMA_MATH)) {
      int[] count = new int[1];
      var forward = new cudnnConvolutionFwdAlgoPerf[8];
      var data = new cudnnConvolutionBwdDataAlgoPerf[8];
      var filter = new cudnnConvolutionBwdFilterAlgoPerf[2];
      Arrays.setAll(forward, i -> new cudnnConvolutionFwdAlgoPerf());
      Arrays.setAll(data, i -> new cudnnConvolutionBwdDataAlgoPerf());
      Arrays.setAll(filter, i -> new cudnnConvolutionBwdFilterAlgoPerf());
      ok(cudnnGetConvolutionForwardAlgorithm_v7(conv.handle, conv.x, conv.w, conv.descriptor, conv.y, 8, count,
          forward));
      assertEquals(5, count[0]);
      assertEquals(0, forward[0].status);
      assertEquals(NOT_SUPPORTED, forward[4].status);
      long[] bytes = new long[1];
      ok(cudnnGetConvolutionForwardWorkspaceSize(conv.handle, conv.x, conv.w, conv.descriptor, conv.y, forward[0].algo,
          bytes));
      assertEquals(forward[0].memory, bytes[0]);
      ok(cudnnGetConvolutionBackwardDataAlgorithm_v7(conv.handle, conv.w, conv.y, conv.descriptor, conv.x, 8, count,
          data));
      assertEquals(cudnnDeterminism.CUDNN_NON_DETERMINISTIC, data[0].determinism);
      assertEquals(cudnnDeterminism.CUDNN_DETERMINISTIC, data[1].determinism);
      ok(cudnnGetConvolutionBackwardFilterAlgorithm_v7(conv.handle, conv.x, conv.y, conv.descriptor, conv.w, 2, count,
          filter));
      assertEquals(2, count[0]);
      assertEquals(cudnnDeterminism.CUDNN_NON_DETERMINISTIC, filter[1].determinism);
    }
  }

  @Test void workspaceIsCheckedAndOverwritten() {
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, FMA_MATH)) {
      CUdeviceptr x = device.upload(gaussian(USUAL.xSize(), 1)), w = device.upload(gaussian(USUAL.wSize(), 2));
      CUdeviceptr y = device.allocate(4L * USUAL.ySize()), space = device.upload(new float[500]);
      assertEquals(BAD_PARAM, conv.forward(y, x, w, 1, space, 1000, 0));
      assertEquals("cudnnConvolutionForward: algorithm 1 needs a workspace of 1280 bytes", CudaEmulator.lastFault());
      ok(conv.forward(y, x, w, 1, space, 2000, 0));
      float[] left = device.floats(space, 500);
      assertTrue(Float.isNaN(left[319]));
      assertEquals(0f, left[320]);
      ok(conv.forward(y, x, w, 1, space.withByteOffset(1000), 1280, 0)); // says more than is there
      assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, device.synchronise());
    }
  }

  @Test void unsupportedDirections() {
    CudaEmulator.set(Knob.CUDNN_UNSUPPORTED, "nhwc-forward,backward-data");
    CUdeviceptr x = device.upload(new float[USUAL.xSize()]), w = device.upload(new float[USUAL.wSize()]);
    CUdeviceptr y = device.upload(new float[USUAL.ySize()]), space = device.allocate(SPACE);
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, FMA_MATH)) {
      assertEquals(NOT_SUPPORTED, conv.forward(y, x, w, 0, null, 0, 0));
      assertEquals(NOT_SUPPORTED, conv.backwardData(x, w, y, 1, space, SPACE, 0));
      ok(conv.backwardFilter(w, x, y, 1, space, SPACE, 0));
      int[] count = new int[1];
      cudnnConvolutionFwdAlgoPerf[] forward = {new cudnnConvolutionFwdAlgoPerf()};
      ok(cudnnGetConvolutionForwardAlgorithm_v7(conv.handle, conv.x, conv.w, conv.descriptor, conv.y, 1, count,
          forward));
      assertEquals(NOT_SUPPORTED, forward[0].status);
    }
    Shape second = new Shape(2, 9, 7, 5, 6, 3, 3, 1, 1, 1, false);
    try (EmulatedConvolution conv = new EmulatedConvolution(device, second, FLOAT, FMA_MATH)) {
      ok(conv.forward(y, x, w, 0, null, 0, 0));
    }
  }

  @Test void wrongDescriptorsAreRefused() {
    CUdeviceptr x = device.upload(new float[USUAL.xSize()]), w = device.upload(new float[USUAL.wSize()]);
    CUdeviceptr y = device.upload(new float[USUAL.ySize()]);
    try (EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, FMA_MATH)) {
      ok(JCudnn.cudnnSetTensor4dDescriptor(conv.y, 1, FLOAT, 2, 6, 8, 7)); // 9 rows
      assertEquals(BAD_PARAM, conv.forward(y, x, w, 0, null, 0, 0));
      ok(JCudnn.cudnnSetTensor4dDescriptor(conv.y, 1, 2, 2, 6, 9, 7)); // halves
      assertEquals(NOT_SUPPORTED, conv.forward(y, x, w, 0, null, 0, 0));
    }
    assertEquals("CUDNN_STATUS_BAD_PARAM", JCudnn.cudnnGetErrorString(BAD_PARAM));
  }

  @Test void leaksCountsAndOrderedFailures() {
    EmulatedConvolution conv = new EmulatedConvolution(device, USUAL, FLOAT, FMA_MATH);
    assertTrue(CudaEmulator.leaks().contains("cuDNN convolution descriptor"));
    CudaEmulator.fail("cudnnConvolutionForward", 1, 5000);
    assertEquals(5000, conv.forward(null, null, null, 0, null, 0, 0));
    assertEquals(BAD_PARAM, conv.forward(null, null, null, 0, null, 0, 0));
    assertEquals(2, CudaEmulator.calls("cudnnConvolutionForward"));
    conv.close();
    assertTrue(CudaEmulator.leaks().stream().noneMatch(s -> s.startsWith("cuDNN")),
        () -> CudaEmulator.leaks().toString());
  }

  /** Numbers that both 16-bit formats hold. */
  private static float[] coarse(int n, long seed) {
    float[] values = gaussian(n, seed);
    for (int i = 0; i < n; i++) {
      values[i] = Math.round(values[i] * 32) / 32f;
    }
    return values;
  }

  private static short[] halves(float[] values, boolean bfloat16) {
    short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = EmulatedKernelTest.bits(values[i], bfloat16);
    }
    return bits;
  }

  private static void close(double[] expected, float[] got, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], got[i], tolerance);
    }
  }
}
