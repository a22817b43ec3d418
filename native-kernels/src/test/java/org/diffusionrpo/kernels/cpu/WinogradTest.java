package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The minimal filtering against the same convolution as a plain product, itself tested against the definition. */
class WinogradTest {
  /**
   * Distance of two results relative to the length of one. F(4 x 4, 3 x 3) adds and subtracts multiples up to 25 of the
   * values, so it loses about one digit: 2e-6 to 4e-6 were seen for 16 to 1920 channels.
   */
  private static final double TOLERANCE = 8e-6;

  static Stream<Geometry> geometries() {
    return Stream.of(
        same(2, 16, 16, 16, 16),
        same(3, 17, 19, 32, 48), // tiles that reach over the right and lower edge
        same(1, 16, 23, 80, 16), // channels that are more than one strip
        same(1, 129, 130, 256, 32), // several blocks of tiles
        same(1, 16, 16, 512, 352), // several blocks of filters, the last one smaller
        new Geometry(1, 18, 18, 16, 32, 3, 3, 1, 0, 0, 0, 0),
        new Geometry(2, 16, 17, 32, 16, 3, 3, 1, 2, 1, 1, 2),
        new Geometry(1, 18, 20, 16, 16, 3, 3, 1, 0, 1, 1, 0));
  }

  private static Geometry same(int batch, int height, int width, int in, int out) {
    return new Geometry(batch, height, width, in, out, 3, 3, 1, 1, 1, 1, 1);
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void forwardIsTheConvolution(Geometry g) {
    float[] x = Oracle.gaussian(1, inputs(g));
    Weights w = Weights.of(Oracle.gaussian(2, g.outChannels() * g.filter()));
    float[] bias = Oracle.gaussian(3, g.outChannels());
    float[] expected = new float[outputs(g)];
    PanelSource rows = new Window(x, g.height(), g.width(), g.inChannels(), g.outHeight(), g.outWidth(), 3, 3, 1, 1,
        -g.padTop(), -g.padLeft());
    Gemm.KERNEL.run(new Product(expected, 0, g.outChannels(), rows, Matrix.transposed(w, 0, g.filter()).columns(), bias,
        g.outPositions(), g.outChannels(), g.filter(), false));
    float[] y = Oracle.gaussian(4, expected.length);
    Winograd.forward(y, x, w, bias, g);
    assertClose(expected, y);
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void backwardDataIsTheTransposedConvolution(Geometry g) {
    float[] dy = Oracle.gaussian(5, outputs(g));
    Weights w = Weights.of(Oracle.gaussian(6, g.outChannels() * g.filter()));
    float[] expected = new float[inputs(g)];
    Window window = new Window(dy, g.outHeight(), g.outWidth(), g.outChannels(), g.height(), g.width(), 3, 3, 1, -1,
        g.padTop(), g.padLeft());
    Gemm.KERNEL.run(new Product(expected, 0, g.inChannels(), window, new KernelTaps(w, g, 0, 0, 3), null,
        g.batch() * g.height() * g.width(), g.inChannels(), 9 * g.outChannels(), false));
    float[] dx = Oracle.gaussian(7, expected.length);
    Winograd.backwardData(dx, dy, w, g);
    assertClose(expected, dx);
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void backwardFilterAddsTheGradient(Geometry g) {
    float[] dy = Oracle.gaussian(8, outputs(g));
    float[] x = Oracle.gaussian(9, inputs(g));
    float[] expected = Oracle.gaussian(10, g.outChannels() * g.filter());
    float[] dw = expected.clone();
    PanelSource columns = new Window(x, g.height(), g.width(), g.inChannels(), g.outHeight(), g.outWidth(), 3, 3, 1, 1,
        -g.padTop(), -g.padLeft()).taps();
    Gemm.KERNEL.run(new Product(expected, 0, g.filter(), Matrix.transposed(dy, 0, g.outChannels()).rows(), columns, null,
        g.outChannels(), g.filter(), g.outPositions(), true));
    Winograd.backwardFilter(dw, dy, x, g);
    assertClose(expected, dw);
  }

  /** Both transforms of one line are linear maps; with small whole numbers every step of these is exact. */
  @Test
  void fourNeighboursComeFromSixValuesAndThreeTaps() {
    float[] d = {3, -1, 4, 1, -5, 9};
    float[] g = {24, -48, 72};
    float[] v = new float[6];
    float[] u = new float[6];
    float[] y = new float[4];
    ScalarWinogradMath math = new ScalarWinogradMath();
    math.input(v, 0, 1, d, 0, 1, 1);
    math.filter(u, 0, 1, g, 0, 1, 1);
    for (int i = 0; i < 6; i++) {
      v[i] *= u[i];
    }
    math.output(y, 0, 1, v, 0, 1, 1);
    for (int i = 0; i < 4; i++) {
      assertEquals(d[i] * g[0] + d[i + 1] * g[1] + d[i + 2] * g[2], y[i], 1e-3);
    }
  }

  @Test
  void halfPrecisionWeightsGiveTheBitsOfTheirFloats() {
    Geometry g = same(1, 16, 16, 32, 16);
    short[] halves = new short[g.outChannels() * g.filter()];
    float[] floats = new float[halves.length];
    HalfFloats.toFp16(halves, 0, Oracle.gaussian(11, halves.length), 0, halves.length);
    HalfFloats.fromFp16(floats, 0, halves, 0, halves.length);
    float[] x = Oracle.gaussian(12, inputs(g));
    float[] y = new float[outputs(g)];
    float[] expected = new float[y.length];
    Winograd.forward(y, x, Weights.fp16(halves), null, g);
    Winograd.forward(expected, x, Weights.of(floats), null, g);
    assertArrayEquals(expected, y);
  }

  /** An image does not depend on the images beside it, whichever block of tiles they fall into. */
  @Test
  void theBatchDoesNotChangeTheBits() {
    Geometry one = same(1, 32, 32, 256, 32);
    Geometry many = same(17, 32, 32, 256, 32);
    float[] x = Oracle.gaussian(13, inputs(many));
    Weights w = Weights.of(Oracle.gaussian(14, one.outChannels() * one.filter()));
    float[] all = new float[outputs(many)];
    Winograd.forward(all, x, w, null, many);
    float[] last = new float[outputs(one)];
    Winograd.forward(last, Arrays.copyOfRange(x, 16 * inputs(one), 17 * inputs(one)), w, null, one);
    assertArrayEquals(last, Arrays.copyOfRange(all, 16 * last.length, 17 * last.length));
  }

  @Test
  void onlyConvolutionsThatGainAreTaken() {
    assertTrue(Winograd.suits(same(1, 64, 64, 320, 320)));
    assertTrue(Winograd.suits(same(1, 16, 16, 64, 64)));
    assertFalse(Winograd.suits(same(1, 16, 16, 1280, 1280)), "filters would weigh more than the image");
    assertTrue(Winograd.suits(same(1, 8, 8, 128, 256)));
    assertFalse(Winograd.suits(same(1, 8, 8, 512, 512)), "filters would weigh more than the image");
    assertFalse(Winograd.suits(same(1, 4, 4, 64, 64)), "too few tiles");
    assertFalse(Winograd.suits(same(1, 64, 64, 4, 320)), "too few channels");
    assertFalse(Winograd.suits(new Geometry(1, 64, 64, 64, 64, 3, 3, 2, 1, 1, 1, 1)), "stride");
    assertFalse(Winograd.suits(new Geometry(1, 64, 64, 64, 64, 1, 1, 1, 0, 0, 0, 0)), "1 x 1");
  }

  private static int inputs(Geometry g) {
    return g.batch() * g.height() * g.width() * g.inChannels();
  }

  private static int outputs(Geometry g) {
    return g.outPositions() * g.outChannels();
  }

  private static void assertClose(float[] expected, float[] actual) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = (double) actual[i] - expected[i];
      error += difference * difference;
      size += (double) expected[i] * expected[i];
    }
    assertEquals(0, Math.sqrt(error / size), TOLERANCE);
  }
}
