package org.diffusionrpo.tensor.cuda;

import static org.diffusionrpo.tensor.TestTensors.gaussianValues;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.ReferenceBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.Tolerances;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Products, convolutions and attention in each number format, against doubles. */
class PrecisionTest {
  /** Attention rounds its operands, the probabilities and dS; each rounding adds its error. */
  private static final double ROUNDINGS = 4;

  /** Half of the distance from 1 to the next number. */
  private static double roundoff(Precision precision) {
    return switch (precision) {
      case FP32 -> 0x1p-24 * 32; // of sums in another order
      case TF32, FP16 -> 0x1p-11;
      case BF16 -> 0x1p-8;
    };
  }

  @ParameterizedTest
  @EnumSource
  void errorsAreThoseOfTheFormat(Precision precision) {
    compare(precision, 1, 1);
  }

  @ParameterizedTest
  @CsvSource({"BF16, 1e9, 1e-12", "FP16, 1e9, 1e-12", "FP16, 1e-9, 1e6"})
  void neitherOverflowNorUnderflow(Precision precision, float forward, float backward) {
    compare(precision, forward, backward);
  }

  @ParameterizedTest
  @EnumSource(names = {"TF32", "BF16", "FP16"})
  void roundingIsNotSkipped(Precision precision) {
    assumeFalse(precision == Precision.TF32 && TestGpu.isReal(), "the libraries may, but need not, round to tf32");
    Map<String, Double> errors = error(precision, 1, 1);
    assertTrue(errors.get("linear y") > roundoff(precision) / 8, errors::toString);
    assertTrue(errors.get("conv y") > roundoff(precision) / 8, errors::toString);
  }

  /** Every convolution as a product of gathered windows. */
  @ParameterizedTest
  @EnumSource
  void withoutCudnnErrorsAreThoseOfTheFormat(Precision precision) {
    assumeFalse(TestGpu.isReal(), "a real cuDNN cannot be told to refuse");
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    CudaEmulator.reset();
    CudaEmulator.set(Knob.CUDNN_UNSUPPORTED, "forward,backward-data,backward-filter");
    try {
      compare(precision, 1, 1);
    } finally {
      CudaEmulator.reset();
    }
  }

  @Test
  void olderDevicesSayWhatTheyLack() {
    assumeFalse(TestGpu.isReal(), "the emulated device can pretend to be older");
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    CudaEmulator.reset();
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.5");
    try {
      String message = assertThrows(CudaException.class, () -> open(Precision.BF16)).getMessage();
      assertTrue(message.contains("compute capability 7.5") && message.endsWith("bf16 needs 8.0 or newer"), message);
      open(Precision.FP16).close();
      CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.0");
      message = assertThrows(CudaException.class, () -> open(Precision.FP32)).getMessage();
      assertTrue(message.endsWith("7.5 or newer is needed"), message);
      assertEquals("[]", CudaEmulator.leaks().toString());
    } finally {
      CudaEmulator.reset();
    }
  }

  private static void compare(Precision precision, float forward, float backward) {
    double bound = ROUNDINGS * roundoff(precision);
    assertAll(error(precision, forward, backward).entrySet().stream().map(result -> () ->
        assertTrue(result.getValue() <= bound, () -> result + " is above " + bound)));
  }

  /** Relative errors by name of the result. */
  private static Map<String, Double> error(Precision precision, float forward, float backward) {
    assumeTrue(TestGpu.missing(precision) == null, () -> TestGpu.missing(precision));
    Map<String, double[]> expected = results(new ReferenceBackend(), forward, backward);
    Map<String, Double> errors = new LinkedHashMap<>();
    try (CudaBackend backend = open(precision)) {
      results(backend, forward, backward).forEach((name, actual) ->
          errors.put(name, Math.sqrt(Tolerances.nmse(actual, expected.get(name)))));
    }
    return errors;
  }

  private static CudaBackend open(Precision precision) {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withPrecision(precision)));
  }

  /** @param forward size of activations; @param backward size of gradients */
  private static Map<String, double[]> results(Backend b, float forward, float backward) {
    Map<String, double[]> results = new LinkedHashMap<>();
    try (MemoryScope scope = b.scope()) {
      linear(b, forward, backward, Storage.F32, "linear", results);
      linear(b, forward, backward, Storage.BF16, "linear bf16 weight", results);
      linear(b, forward, backward, Storage.F16, "linear f16 weight", results);
      convolution(b, forward, backward, Conv2dGeometry.of(1, 1), "conv", results);
      convolution(b, forward, backward, new Conv2dGeometry(2, 0, 0, 1, 1), "uneven conv", results);
      attention(b, backward, results);
    }
    return results;
  }

  private static void linear(Backend b, float forward, float backward, Storage storage, String name,
      Map<String, double[]> results) {
    Tensor x = values(b, 1, forward, 9, 40);
    Tensor w = TestTensors.gaussian(b, 2, storage, 24, 40);
    Tensor y = b.empty(Shape.of(9, 24));
    b.linearForward(y, x, w, null);
    Tensor dy = values(b, 3, backward, 9, 24);
    Tensor dx = b.empty(x.shape());
    b.linearBackwardData(dx, dy, w);
    Tensor dw = b.zeros(w.shape());
    b.linearBackwardWeight(dw, null, dy, x);
    add(results, name, y, dx, dw);
  }

  private static void convolution(Backend b, float forward, float backward, Conv2dGeometry geometry, String name,
      Map<String, double[]> results) {
    Tensor x = values(b, 4, forward, 2, 6, 6, 8);
    Tensor w = values(b, 5, 1, 8, 3, 3, 8);
    Shape out = Shape.of(2, geometry.outHeight(6, 3), geometry.outWidth(6, 3), 8);
    Tensor y = b.empty(out);
    b.conv2dForward(y, x, w, null, geometry);
    Tensor dy = values(b, 6, backward, out.toArray());
    Tensor dx = b.empty(x.shape());
    b.conv2dBackwardData(dx, dy, w, geometry);
    Tensor dw = b.zeros(w.shape());
    b.conv2dBackwardWeight(dw, null, dy, x, geometry);
    add(results, name, y, dx, dw);
  }

  private static void attention(Backend b, float backward, Map<String, double[]> results) {
    Tensor q = values(b, 7, 1, 2, 19, 80);
    Tensor k = values(b, 8, 1, 2, 23, 80);
    Tensor v = values(b, 9, 1, 2, 23, 80);
    Tensor out = b.empty(q.shape());
    Tensor lse = b.empty(Shape.of(2, 2, 19));
    b.attentionForward(out, lse, q, k, v, 2, false);
    Tensor dOut = values(b, 10, backward, 2, 19, 80);
    Tensor dq = b.empty(q.shape());
    Tensor dk = b.empty(k.shape());
    Tensor dv = b.empty(v.shape());
    b.attentionBackward(dq, dk, dv, dOut, q, k, v, out, lse, 2, false);
    add(results, "attention", out, dq, dk, dv);
  }

  private static Tensor values(Backend b, long seed, float size, int... dims) {
    Shape shape = Shape.of(dims);
    float[] values = gaussianValues(seed, shape.size());
    for (int i = 0; i < values.length; i++) {
      values[i] *= size;
    }
    return b.of(shape, values);
  }

  private static void add(Map<String, double[]> results, String name, Tensor y, Tensor... gradients) {
    results.put(name + " y", TestTensors.doubles(y));
    for (int i = 0; i < gradients.length; i++) {
      results.put(name + " gradient " + i, TestTensors.doubles(gradients[i]));
    }
  }
}
