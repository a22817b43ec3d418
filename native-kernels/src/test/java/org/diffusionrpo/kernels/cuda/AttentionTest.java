package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.diffusionrpo.kernels.cpu.AttentionOracle;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Against the definition in doubles, in every precision. */
class AttentionTest {
  /** Float sums over some hundred keys and features, as for the CPU. */
  private static final double FP32_TOLERANCE = 3e-6;
  /**
   * The oracle gets rounded operands, so what remains is one rounding of each probability and of each gradient of a
   * score: a relative error of up to 2^-8 (bf16, 8 bits) or 2^-11 (fp16, 11 bits), independent for the terms of a sum.
   * Sums may cancel, hence twice that of the largest result.
   */
  private static final double BF16_TOLERANCE = 2 * 0x1p-8;
  private static final double FP16_TOLERANCE = 2 * 0x1p-11;
  /** Scores up to about +-20,000: rounding of such scores alone is 1e-3. */
  private static final double HUGE_TOLERANCE = 2e-2;

  private static final Map<Precision, CudaDevice> DEVICES = new EnumMap<>(Precision.class);

  @BeforeAll
  static void open() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    for (Precision precision : new Precision[] {Precision.FP32, Precision.BF16, Precision.FP16}) {
      if (TestGpu.missing(precision) == null) {
        DEVICES.put(precision, TestGpu.open(TestGpu.options().withPrecision(precision)));
      }
    }
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(CudaDevice::close);
    DEVICES.clear();
  }

  private static double tolerance(Precision precision) {
    return switch (precision) {
      case FP32, TF32 -> FP32_TOLERANCE;
      case BF16 -> BF16_TOLERANCE;
      case FP16 -> FP16_TOLERANCE;
    };
  }

  /** Every width of the tiles, filled and not; tiles of tokens filled and not; heads that go through products. */
  @ParameterizedTest
  @CsvSource({"1,1,1,1,4,false", "2,4,16,2,16,true", "2,100,77,2,40,false", "1,97,97,2,36,true", "1,140,33,1,20,true",
      "1,77,77,1,64,true", "1,20,50,1,8,true", "1,50,20,1,8,true", "1,130,70,1,80,false", "1,65,130,1,72,true",
      "1,33,90,1,160,false", "1,70,70,1,136,true", "1,1,1,1,1,false", "2,31,33,3,17,false", "2,9,14,2,200,false",
      "1,14,14,1,161,true"})
  void forwardAndBackwardMatchTheDefinition(int samples, int queries, int keys, int heads, int headDim,
      boolean causal) {
    for (Precision precision : DEVICES.keySet()) {
      new Run(precision, new AttentionOracle(samples, queries, keys, heads, headDim, causal), 1).check(
          tolerance(precision));
    }
  }

  /** The tensor cores of compute capability 7.5 multiply half as many numbers at once. */
  @Test
  void olderTensorCoresMatchTheDefinition() {
    assumeFalse(TestGpu.isReal(), "the emulated device can pretend to be older");
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.5");
    try (CudaDevice device = TestGpu.open(TestGpu.options().withPrecision(Precision.FP16))) {
      for (int headDim : new int[] {36, 64, 80, 136, 160}) {
        Run run = new Run(Precision.FP16, new AttentionOracle(1, 70, 77, 2, headDim, headDim == 136), 1);
        run.device = device;
        run.check(FP16_TOLERANCE);
      }
    } finally {
      CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "8.0");
    }
  }

  @Test
  void largeScoresNeitherOverflowNorLoseTheirMaximum() {
    Run run = new Run(Precision.FP32, new AttentionOracle(1, 60, 130, 1, 20, false), 70);
    run.check(HUGE_TOLERANCE);
    for (Precision precision : DEVICES.keySet()) {
      Run half = new Run(precision, new AttentionOracle(1, 60, 130, 1, 20, false), 70);
      half.all();
      half.assertFinite();
    }
  }

  /** Every score is near -400 while those of the tiles' padding are 0, so exp(0 - lse) overflows there. */
  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "FP16"})
  void veryNegativeLogSumsStayFinite(Precision precision) {
    Run run = new Run(precision, new AttentionOracle(1, 5, 7, 1, 16, false), 1);
    Arrays.fill(run.q, 10);
    Arrays.fill(run.k, -10);
    run.all();
    assertEquals(-400 + Math.log(7), run.lse[4], 1e-4);
    run.assertFinite();
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "FP16"})
  void withOneKeyOutIsItsValueAndNoScoreMatters(Precision precision) {
    Run run = new Run(precision, new AttentionOracle(1, 35, 1, 2, 40, false), 3);
    run.all();
    for (int i = 0; i < run.out.length; i++) {
      assertEquals(round(run.v[i % run.v.length], precision, 1), run.out[i], 1e-6 * Math.abs(run.out[i]));
      assertEquals(0, run.dq[i], 1e-5);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "FP16"})
  void causalIgnoresLaterKeys(Precision precision) {
    Run run = new Run(precision, new AttentionOracle(1, 130, 130, 2, 24, true), 1);
    run.all();
    float[] before = run.out.clone();
    int from = 120 * 48;
    Arrays.fill(run.k, from, run.k.length, 1e4f);
    Arrays.fill(run.v, from, run.v.length, -1e4f);
    run.all();
    assertArrayEquals(Arrays.copyOf(before, from), Arrays.copyOf(run.out, from));
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "FP16"})
  void aBatchHasTheBitsOfItsSamples(Precision precision) {
    Run batch = new Run(precision, new AttentionOracle(2, 70, 77, 2, 40, false), 1);
    batch.all();
    Run last = new Run(precision, new AttentionOracle(1, 70, 77, 2, 40, false), 1);
    float[][] from = batch.inputs();
    float[][] to = last.inputs();
    for (int i = 0; i < to.length; i++) {
      System.arraycopy(from[i], to[i].length, to[i], 0, to[i].length);
    }
    last.all();
    for (int i = 0; i < last.outputs().length; i++) {
      float[] whole = batch.outputs()[i];
      float[] part = last.outputs()[i];
      assertArrayEquals(part, Arrays.copyOfRange(whole, part.length, whole.length));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "FP16"})
  void resultsNeverChangeBits(Precision precision) {
    for (int headDim : new int[] {12, 64, 170}) {
      Run run = new Run(precision, new AttentionOracle(2, 35, 70, 1, headDim, false), 1);
      run.all();
      float[][] first = Arrays.stream(run.outputs()).map(float[]::clone).toArray(float[][]::new);
      run.all();
      for (int i = 0; i < first.length; i++) {
        assertArrayEquals(first[i], run.outputs()[i]);
      }
    }
  }

  /** Gradients below 6e-8, the smallest fp16, keep all bits of fp16. */
  @ParameterizedTest
  @CsvSource({"40", "200"})
  void tinyGradientsDoNotVanish(int headDim) {
    Run run = new Run(Precision.FP16, new AttentionOracle(1, 20, 30, 1, headDim, false), 1);
    for (int i = 0; i < run.dOut.length; i++) {
      run.dOut[i] *= 1e-9f;
    }
    run.check(FP16_TOLERANCE);
  }

  /** Wide heads with memory for the scores of four queries at a time. */
  @Test
  void chunksOfQueriesAddUp() {
    CudaDevice device = DEVICES.get(Precision.FP32);
    Run run = new Run(Precision.FP32, new AttentionOracle(2, 14, 9, 2, 5, true), 1);
    run.wide = new GemmAttention(device, 4 * 9 * Float.BYTES);
    run.check(FP32_TOLERANCE);
  }

  private static float[] gaussian(long seed, int n, float scale) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian() * scale;
    }
    return x;
  }

  private static float round(float x, Precision precision, float scale) {
    return switch (precision) {
      case FP32, TF32 -> x;
      case BF16 -> HalfFloats.fromBf16(HalfFloats.toBf16(x));
      case FP16 -> HalfFloats.fromFp16(HalfFloats.toFp16(x * scale)) / scale;
    };
  }

  private static double[] rounded(float[] x, Precision precision, float scale) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = round(x[i], precision, scale);
    }
    return y;
  }

  /** The power of two that brings the largest value into [0.5, 1). */
  private static float scaleOf(float[] x) {
    float largest = 0;
    for (float value : x) {
      largest = Math.max(largest, Math.abs(value));
    }
    return Math.scalb(1f, -Math.getExponent(largest) - 1);
  }

  /** Inputs and outputs for one shape, on the host. */
  private static final class Run {
    final Precision precision;
    final AttentionOracle shape;
    final float[] q;
    final float[] k;
    final float[] v;
    final float[] dOut;
    final float[] out;
    final float[] lse;
    final float[] dq;
    final float[] dk;
    final float[] dv;
    CudaDevice device;
    /** In place of what the width of the head asks for. */
    GemmAttention wide;

    Run(Precision precision, AttentionOracle shape, float scale) {
      device = DEVICES.get(precision);
      assumeTrue(device != null, () -> TestGpu.missing(precision));
      this.precision = precision;
      this.shape = shape;
      int queries = shape.samples() * shape.queries() * shape.heads() * shape.headDim();
      int keys = shape.samples() * shape.keys() * shape.heads() * shape.headDim();
      q = gaussian(1, queries, scale);
      k = gaussian(2, keys, scale);
      v = gaussian(3, keys, 1);
      dOut = gaussian(4, queries, 1);
      out = new float[queries];
      dq = new float[queries];
      dk = new float[keys];
      dv = new float[keys];
      lse = new float[shape.samples() * shape.heads() * shape.queries()];
    }

    float[][] inputs() {
      return new float[][] {q, k, v, dOut};
    }

    float[][] outputs() {
      return new float[][] {out, lse, dq, dk, dv};
    }

    /** Forward and backward. */
    void all() {
      float[][] inputs = inputs();
      float[][] outputs = outputs();
      DeviceBuffer[] x = new DeviceBuffer[inputs.length + outputs.length];
      for (int i = 0; i < x.length; i++) {
        float[] values = i < inputs.length ? inputs[i] : outputs[i - inputs.length];
        x[i] = device.memory().take((long) values.length * Float.BYTES);
        if (i < inputs.length) {
          device.memory().write(x[i], 0, values, values.length);
        }
      }
      if (wide == null) {
        Attention attention = new Attention(device);
        attention.forward(x[4], x[5], x[0], x[1], x[2], shape.samples(), shape.queries(), shape.keys(), shape.heads(),
            shape.headDim(), shape.causal());
        attention.backward(x[6], x[7], x[8], x[3], x[0], x[1], x[2], x[4], x[5], shape.samples(), shape.queries(),
            shape.keys(), shape.heads(), shape.headDim(), shape.causal());
      } else {
        AttentionSizes sizes = new AttentionSizes(shape.samples(), shape.queries(), shape.keys(), shape.heads(),
            shape.headDim(), shape.causal());
        wide.forward(x[4], x[5], x[0], x[1], x[2], sizes);
        wide.backward(x[6], x[7], x[8], x[3], x[0], x[1], x[2], x[4], x[5], sizes);
      }
      for (int i = 0; i < outputs.length; i++) {
        device.memory().read(outputs[i], x[inputs.length + i]);
      }
      for (DeviceBuffer buffer : x) {
        buffer.close();
      }
    }

    void assertFinite() {
      for (float[] output : outputs()) {
        for (float value : output) {
          assertTrue(Float.isFinite(value), () -> precision + ": " + value);
        }
      }
    }

    void check(double tolerance) {
      all();
      double[] qs = rounded(q, precision, 1);
      double[] ks = rounded(k, precision, 1);
      double[] vs = rounded(v, precision, 1);
      assertClose("out", shape.forward(qs, ks, vs), out, tolerance, 0);
      assertClose("lse", shape.lse(qs, ks), lse, FP32_TOLERANCE, 1);
      double[][] expected = shape.backward(rounded(dOut, precision, scaleOf(dOut)), qs, ks, vs);
      // With one key dq and dk are exactly 0: compare with the size of dv instead.
      double floor = Arrays.stream(expected[2]).map(Math::abs).max().orElse(0) * 0.1;
      assertClose("dq", expected[0], dq, tolerance, floor);
      assertClose("dk", expected[1], dk, tolerance, floor);
      assertClose("dv", expected[2], dv, tolerance, 0);
    }

    /** The worst difference is at most {@code tolerance} times the largest expected magnitude, or times the floor. */
    private void assertClose(String what, double[] expected, float[] actual, double tolerance, double floor) {
      double largest = Math.max(floor, Arrays.stream(expected).map(Math::abs).max().orElse(0));
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[i], tolerance * largest, precision + ": " + what + "[" + i + "]");
      }
    }
  }
}
