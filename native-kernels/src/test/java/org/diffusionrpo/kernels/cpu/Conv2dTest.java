package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class Conv2dTest {
  /** Minimal filtering mixes the pixels of a tile, so an element bears the errors of its neighbours too. */
  private static final double WINOGRAD_TOLERANCE = 4 * GemmTest.TOLERANCE;

  static Stream<Geometry> geometries() {
    return Stream.of(
        new Geometry(2, 9, 7, 5, 6, 3, 3, 1, 1, 1, 1, 1), // odd everything
        new Geometry(1, 8, 8, 3, 40, 3, 3, 1, 1, 1, 1, 1), // first layer of a VAE
        new Geometry(2, 8, 8, 4, 33, 3, 3, 1, 1, 1, 1, 1), // first layer of a UNet
        new Geometry(1, 11, 13, 64, 4, 3, 3, 1, 1, 1, 1, 1), // last layer of a UNet
        new Geometry(3, 8, 8, 20, 20, 3, 3, 2, 0, 0, 1, 1), // VAE downsampling: bottom and right only
        new Geometry(2, 9, 6, 36, 17, 3, 3, 2, 1, 1, 1, 1), // UNet downsampling
        new Geometry(2, 28, 42, 3, 50, 14, 14, 14, 0, 0, 0, 0), // CLIP patches
        new Geometry(1, 30, 15, 3, 10, 14, 14, 14, 0, 0, 0, 0), // rows and a column that no patch covers
        new Geometry(2, 6, 5, 33, 65, 1, 1, 1, 0, 0, 0, 0), // pointwise
        new Geometry(2, 6, 5, 13, 8, 1, 1, 2, 0, 0, 0, 0), // pixels without any tap
        new Geometry(1, 5, 4, 7, 8, 1, 1, 1, 1, 2, 0, 1), // padded pointwise
        new Geometry(2, 10, 9, 12, 31, 5, 5, 1, 2, 2, 2, 2),
        new Geometry(1, 10, 9, 12, 31, 5, 3, 2, 4, 0, 1, 3),
        new Geometry(1, 3, 2, 9, 11, 3, 3, 3, 2, 2, 2, 2),
        new Geometry(4, 16, 16, 48, 64, 3, 3, 1, 1, 1, 1, 1));
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void forwardMatchesTheDefinition(Geometry g) {
    Random random = new Random(1);
    float[] x = GemmTest.uniform(random, inputs(g));
    float[] w = GemmTest.uniform(random, g.outChannels() * g.filter());
    float[] bias = GemmTest.uniform(random, g.outChannels());
    float[] y = GemmTest.uniform(random, outputs(g));
    Conv2d.forward(y, x, Weights.of(w), bias, g);
    double[] expected = new double[y.length];
    double[] size = new double[y.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = bias[i % g.outChannels()];
    }
    visit(g, (in, filter, out) -> {
      expected[out] += (double) x[in] * w[filter];
      size[out] += Math.abs((double) x[in] * w[filter]);
    });
    assertClose(g, expected, size, y);
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void backwardDataMatchesTheDefinition(Geometry g) {
    Random random = new Random(2);
    float[] dy = GemmTest.uniform(random, outputs(g));
    float[] w = GemmTest.uniform(random, g.outChannels() * g.filter());
    float[] dx = GemmTest.uniform(random, inputs(g));
    Conv2d.backwardData(dx, dy, Weights.of(w), g);
    double[] expected = new double[dx.length];
    double[] size = new double[dx.length];
    visit(g, (in, filter, out) -> {
      expected[in] += (double) dy[out] * w[filter];
      size[in] += Math.abs((double) dy[out] * w[filter]);
    });
    assertClose(g, expected, size, dx);
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void backwardFilterAddsWhatTheDefinitionSays(Geometry g) {
    Random random = new Random(3);
    float[] dy = GemmTest.uniform(random, outputs(g));
    float[] x = GemmTest.uniform(random, inputs(g));
    float[] dw = GemmTest.uniform(random, g.outChannels() * g.filter());
    float[] db = GemmTest.uniform(random, g.outChannels());
    double[] expected = widen(dw);
    double[] expectedBias = widen(db);
    double[] size = new double[dw.length];
    double[] sizeBias = new double[db.length];
    Conv2d.backwardFilter(dw, db, dy, x, g);
    visit(g, (in, filter, out) -> {
      expected[filter] += (double) dy[out] * x[in];
      size[filter] += Math.abs((double) dy[out] * x[in]);
    });
    for (int i = 0; i < dy.length; i++) {
      expectedBias[i % db.length] += dy[i];
      sizeBias[i % db.length] += Math.abs(dy[i]);
    }
    assertClose(g, expected, size, dw);
    assertClose(g, expectedBias, sizeBias, db);
  }

  @Test
  void frozenParametersAreSkipped() {
    Geometry g = new Geometry(1, 4, 4, 3, 2, 3, 3, 1, 1, 1, 1, 1);
    float[] dy = GemmTest.uniform(new Random(4), outputs(g));
    float[] x = GemmTest.uniform(new Random(5), inputs(g));
    float[] dw = new float[g.outChannels() * g.filter()];
    float[] same = dw.clone();
    Conv2d.backwardFilter(dw, new float[2], dy, x, g);
    Conv2d.backwardFilter(same, null, dy, x, g);
    Conv2d.backwardFilter(null, null, dy, x, g);
    assertArrayEquals(dw, same);
  }

  @Test
  void halfPrecisionWeightsGiveTheBitsOfTheirFloats() {
    Geometry g = new Geometry(2, 7, 6, 20, 33, 3, 3, 2, 1, 1, 1, 1);
    short[] halves = new short[g.outChannels() * g.filter()];
    float[] floats = new float[halves.length];
    HalfFloats.toFp16(halves, 0, GemmTest.uniform(new Random(6), halves.length), 0, halves.length);
    HalfFloats.fromFp16(floats, 0, halves, 0, halves.length);
    float[] x = GemmTest.uniform(new Random(7), inputs(g));
    float[] y = new float[outputs(g)];
    float[] expected = new float[y.length];
    Conv2d.forward(y, x, Weights.fp16(halves), null, g);
    Conv2d.forward(expected, x, Weights.of(floats), null, g);
    assertArrayEquals(expected, y);
    float[] dx = new float[x.length];
    float[] expectedDx = new float[x.length];
    Conv2d.backwardData(dx, y, Weights.fp16(halves), g);
    Conv2d.backwardData(expectedDx, y, Weights.of(floats), g);
    assertArrayEquals(expectedDx, dx);
  }

  @Test
  void impossibleGeometriesAndShortArraysAreNamed() {
    assertNames("stride is 0", () -> new Geometry(1, 4, 4, 1, 1, 3, 3, 0, 0, 0, 0, 0));
    assertNames("larger than the padded image", () -> new Geometry(1, 2, 4, 1, 1, 3, 3, 1, 0, 0, 0, 0));
    assertNames("negative padding", () -> new Geometry(1, 4, 4, 1, 1, 3, 3, 1, 0, -1, 0, 0));
    Geometry g = new Geometry(1, 4, 4, 1, 1, 3, 3, 1, 1, 1, 1, 1);
    assertNames("x has 15", () -> Conv2d.forward(new float[16], new float[15], Weights.of(new float[9]), null, g));
  }

  private static void assertNames(String fault, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(fault), message);
  }

  private interface Term {
    void accept(int in, int filter, int out);
  }

  /** Every product of the definition, with the flat positions of its three factors. */
  private static void visit(Geometry g, Term term) {
    for (int n = 0; n < g.batch(); n++) {
      for (int i = 0; i < g.outHeight(); i++) {
        for (int j = 0; j < g.outWidth(); j++) {
          for (int r = 0; r < g.kernelHeight(); r++) {
            for (int s = 0; s < g.kernelWidth(); s++) {
              int h = i * g.stride() + r - g.padTop();
              int v = j * g.stride() + s - g.padLeft();
              if (h >= 0 && h < g.height() && v >= 0 && v < g.width()) {
                int in = ((n * g.height() + h) * g.width() + v) * g.inChannels();
                int tap = (r * g.kernelWidth() + s) * g.inChannels();
                int out = ((n * g.outHeight() + i) * g.outWidth() + j) * g.outChannels();
                for (int o = 0; o < g.outChannels(); o++) {
                  for (int c = 0; c < g.inChannels(); c++) {
                    term.accept(in + c, o * g.filter() + tap + c, out + o);
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  private static void assertClose(Geometry g, double[] expected, double[] size, float[] actual) {
    double tolerance = Winograd.suits(g) ? WINOGRAD_TOLERANCE : GemmTest.TOLERANCE;
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance * (1 + size[i]), "element " + i);
    }
  }

  private static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static int inputs(Geometry g) {
    return g.batch() * g.height() * g.width() * g.inChannels();
  }

  private static int outputs(Geometry g) {
    return g.outPositions() * g.outChannels();
  }
}
