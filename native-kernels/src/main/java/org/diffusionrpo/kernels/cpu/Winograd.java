package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.WinogradTiles.IN;
import static org.diffusionrpo.kernels.cpu.WinogradTiles.OUT;
import static org.diffusionrpo.kernels.cpu.WinogradTiles.POINTS;

/**
 * Convolutions of 3 x 3 with stride 1 by Winograd's minimal filtering F(4 x 4, 3 x 3): a quarter of the products of the
 * definition. Lavin and Gray 2016, arXiv:1509.09308.
 * <pre>
 *   forward           y  = A^T [ sum_c (G w G^T) * (B^T x B) ] A       per tile of 4 x 4 pixels
 *   backward-data     the same with dy for x and the filters turned by half a turn
 *   backward-filter   dw = G^T [ sum_tiles (A dy A^T) * (B^T x B) ] G
 * </pre>
 * The sums are 36 matrix products, one for each point of a transformed tile. Rounding errors are about ten times those
 * of the definition in fp32; the tests bound them.
 *
 * <p>Work goes in blocks of tiles, so that scratch memory is bounded, and inside one in blocks of output channels, so
 * that the transformed filters, four times the size of the filters, stay in the last-level cache.
 */
final class Winograd {
  private static final WinogradMath MATH = Simd.WINOGRAD;

  /** Channels must be a multiple of this, so that every machine with vectors up to 512 bits takes the same way. */
  private static final int CHANNELS = 16;
  /** Images of this size suit with any number of filters. */
  private static final int LARGE = 32;
  /** Images of this size suit with filters that the cache holds transformed. */
  private static final int MEDIUM = 16;
  /** Most channels in times channels out of such filters. */
  private static final int MEDIUM_FILTERS = 512 * 512;
  /** Images of this size suit with few filters; in smaller ones the transform of the filters outweighs what it saves. */
  private static final int SMALL = 8;
  private static final int SMALL_FILTERS = 256 * 256;
  /** Most floats of transformed input and of transformed output at once: 32 MiB each. */
  private static final int TILES_FLOATS = 8 * 1024 * 1024;
  /** Most floats of transformed filters at once: 16 MiB, a share of the last-level cache. */
  private static final int FILTER_FLOATS = 4 * 1024 * 1024;
  /** Blocks of output channels are a multiple of this: whole register tiles. */
  private static final int CHANNEL_STEP = 32;
  /** Channels that go through both dimensions of a transform at once; their 36 lines fit the first-level cache. */
  private static final int STRIP = 64;
  /** Tiles or filters per task of a transform. */
  private static final int TASK = 4;

  private Winograd() {}

  /** True for the convolutions that are faster this way. One image decides: the batch must not change the bits. */
  static boolean suits(Conv2d.Geometry g) {
    return g.kernelHeight() == 3 && g.kernelWidth() == 3 && g.stride() == 1
        && g.padTop() <= 2 && g.padLeft() <= 2 && g.padBottom() <= 2 && g.padRight() <= 2
        && g.inChannels() % CHANNELS == 0 && g.outChannels() % CHANNELS == 0
        && Math.min(g.outHeight(), g.outWidth()) >= smallest(g.inChannels() * g.outChannels());
  }

  private static int smallest(int filters) {
    return filters <= SMALL_FILTERS ? SMALL : filters <= MEDIUM_FILTERS ? MEDIUM : LARGE;
  }

  static void forward(float[] y, float[] x, Weights w, float[] biasOrNull, Conv2d.Geometry g) {
    int in = g.inChannels();
    convolve(y, x, WinogradTiles.forward(g), in, g.outChannels(), biasOrNull, new Filters() {
      @Override
      public void transform(float[] u, int first, int count) {
        Parallel.ranges(count, TASK, (from, to) -> {
          for (int o = from; o < to; o++) {
            filter(u, o * in, count * in, w, (first + o) * g.filter(), in, 0, in, false);
          }
        });
      }

      @Override
      public PanelSource operand(float[] u, int point, int count) {
        return Matrix.transposed(u, point * count * in, in).columns();
      }
    });
  }

  static void backwardData(float[] dx, float[] dy, Weights w, Conv2d.Geometry g) {
    int out = g.outChannels();
    int in = g.inChannels();
    convolve(dx, dy, WinogradTiles.backward(g), out, in, null, new Filters() {
      @Override
      public void transform(float[] u, int first, int count) {
        Parallel.ranges(out, TASK, (from, to) -> {
          for (int o = from; o < to; o++) {
            filter(u, o * count, count * out, w, o * g.filter(), in, first, count, true);
          }
        });
      }

      @Override
      public PanelSource operand(float[] u, int point, int count) {
        return Matrix.rowMajor(u, point * count * out, count).columns();
      }
    });
  }

  /** Adds the gradient with respect to w to dw. */
  static void backwardFilter(float[] dw, float[] dy, float[] x, Conv2d.Geometry g) {
    WinogradTiles tiles = WinogradTiles.forward(g);
    int in = g.inChannels();
    int out = g.outChannels();
    int most = tilesAtOnce(tiles, Math.max(in, out));
    int block = channelsAtOnce(in, out);
    float[] v = Workspace.WINOGRAD_IN.floats(POINTS * most * in);
    float[] d = Workspace.WINOGRAD_OUT.floats(POINTS * most * out);
    float[] u = Workspace.WINOGRAD_FILTERS.floats(POINTS * block * in);
    for (int tile = 0; tile < tiles.count(); tile += most) {
      int count = Math.min(most, tiles.count() - tile);
      inputs(v, x, tiles, in, tile, count);
      outputGradients(d, dy, tiles, out, tile, count);
      for (int o = 0; o < out; o += block) {
        int first = o;
        int channels = Math.min(block, out - o);
        Parallel.run(POINTS, point -> Gemm.KERNEL.runSerial(new Product(u, point * channels * in, in,
            Matrix.transposed(d, point * count * out + first, out).rows(),
            Matrix.rowMajor(v, point * count * in, in).columns(), null, channels, in, count, false)));
        addFilterGradients(dw, u, first, channels, in);
      }
    }
  }

  /** Where the filters come from, and how they lie as the right operand of a product. */
  private interface Filters {
    /** Transforms those of the output channels [first, first + count). */
    void transform(float[] u, int first, int count);

    PanelSource operand(float[] u, int point, int count);
  }

  private static void convolve(float[] y, float[] x, WinogradTiles tiles, int in, int out, float[] biasOrNull,
      Filters filters) {
    int block = channelsAtOnce(in, out);
    int most = tilesAtOnce(tiles, Math.max(in, block));
    float[] v = Workspace.WINOGRAD_IN.floats(POINTS * most * in);
    float[] m = Workspace.WINOGRAD_OUT.floats(POINTS * most * block);
    float[] u = Workspace.WINOGRAD_FILTERS.floats(POINTS * block * in);
    for (int tile = 0; tile < tiles.count(); tile += most) {
      int count = Math.min(most, tiles.count() - tile);
      inputs(v, x, tiles, in, tile, count);
      for (int first = 0; first < out; first += block) {
        int channels = Math.min(block, out - first);
        filters.transform(u, first, channels);
        Parallel.run(POINTS, point -> Gemm.KERNEL.runSerial(new Product(m, point * count * channels, channels,
            Matrix.rowMajor(v, point * count * in, in).rows(), filters.operand(u, point, channels), null, count,
            channels, in, false)));
        outputs(y, m, tiles, out, first, channels, tile, count, biasOrNull);
      }
    }
  }

  private static int tilesAtOnce(WinogradTiles tiles, int channels) {
    int blocks = MacroKernel.ceilDiv(tiles.count(), Math.max(TASK, TILES_FLOATS / (POINTS * channels)));
    return MacroKernel.ceilDiv(tiles.count(), blocks);
  }

  private static int channelsAtOnce(int in, int out) {
    int blocks = MacroKernel.ceilDiv(out, Math.max(CHANNEL_STEP, FILTER_FLOATS / (POINTS * in)));
    return MacroKernel.ceilDiv(MacroKernel.ceilDiv(out, blocks), CHANNEL_STEP) * CHANNEL_STEP;
  }

  /** {@code v [POINTS][count][channels] = B^T x B} of the tiles [first, first + count). */
  private static void inputs(float[] v, float[] x, WinogradTiles tiles, int channels, int first, int count) {
    int point = count * channels;
    Parallel.ranges(count, TASK, (from, to) -> {
      float[] half = Workspace.WINOGRAD_HALF.floats(POINTS * STRIP);
      for (int t = from; t < to; t++) {
        WinogradTiles.Patch patch = tiles.inputPatch(x, channels, first + t);
        for (int c = 0; c < channels; c += STRIP) {
          int n = Math.min(STRIP, channels - c);
          for (int i = 0; i < IN; i++) {
            MATH.input(half, i * IN * STRIP, STRIP, patch.data(), patch.start() + i * patch.rowStep() + c,
                patch.pixelStep(), n);
          }
          for (int j = 0; j < IN; j++) {
            MATH.input(v, j * point + t * channels + c, IN * point, half, j * STRIP, IN * STRIP, n);
          }
        }
      }
    });
  }

  /** {@code y = A^T m A + bias} for channels [offset, offset + channels) of y; m is [POINTS][count][channels]. */
  private static void outputs(float[] y, float[] m, WinogradTiles tiles, int yChannels, int offset, int channels,
      int first, int count, float[] biasOrNull) {
    int point = count * channels;
    Parallel.ranges(count, TASK, (from, to) -> {
      float[] half = Workspace.WINOGRAD_HALF.floats(POINTS * STRIP);
      for (int t = from; t < to; t++) {
        WinogradTiles.Patch patch = tiles.outputTarget(y, yChannels, first + t);
        for (int c = 0; c < channels; c += STRIP) {
          int n = Math.min(STRIP, channels - c);
          for (int i = 0; i < IN; i++) {
            MATH.output(half, i * OUT * STRIP, STRIP, m, i * IN * point + t * channels + c, point, n);
          }
          int at = patch.start() + offset + c;
          for (int j = 0; j < OUT; j++) {
            MATH.output(patch.data(), at + j * patch.pixelStep(), patch.rowStep(), half, j * STRIP, OUT * STRIP, n);
          }
          if (biasOrNull != null) {
            addBias(patch, at, biasOrNull, offset + c, n);
          }
        }
        tiles.store(patch, y, yChannels, offset, channels, first + t);
      }
    });
  }

  private static void addBias(WinogradTiles.Patch patch, int start, float[] bias, int from, int n) {
    for (int i = 0; i < OUT; i++) {
      for (int j = 0; j < OUT; j++) {
        int at = start + i * patch.rowStep() + j * patch.pixelStep();
        Simd.MATH.add(patch.data(), at, patch.data(), at, bias, from, n);
      }
    }
  }

  /** {@code d [POINTS][count][channels] = A dy A^T} of the tiles [first, first + count). */
  private static void outputGradients(float[] d, float[] dy, WinogradTiles tiles, int channels, int first, int count) {
    int point = count * channels;
    Parallel.ranges(count, TASK, (from, to) -> {
      float[] half = Workspace.WINOGRAD_HALF.floats(POINTS * STRIP);
      for (int t = from; t < to; t++) {
        WinogradTiles.Patch patch = tiles.outputPatch(dy, channels, first + t);
        for (int c = 0; c < channels; c += STRIP) {
          int n = Math.min(STRIP, channels - c);
          for (int i = 0; i < OUT; i++) {
            MATH.outputGradient(half, i * IN * STRIP, STRIP, patch.data(), patch.start() + i * patch.rowStep() + c,
                patch.pixelStep(), n);
          }
          for (int j = 0; j < IN; j++) {
            MATH.outputGradient(d, j * point + t * channels + c, IN * point, half, j * STRIP, IN * STRIP, n);
          }
        }
      }
    });
  }

  /**
   * {@code u [POINTS][...] = G w G^T} for the input channels [first, first + n) of one filter, which begins at {@code
   * from}; channel first goes to {@code u[at]}, and points lie {@code point} apart.
   */
  private static void filter(float[] u, int at, int point, Weights w, int from, int channels, int first, int n,
      boolean turned) {
    float[] taps = Workspace.WINOGRAD_TAPS.floats(9 * STRIP);
    float[] half = Workspace.WINOGRAD_HALF.floats(POINTS * STRIP);
    for (int c = 0; c < n; c += STRIP) {
      int strip = Math.min(STRIP, n - c);
      for (int tap = 0; tap < 9; tap++) {
        w.read(from + (turned ? 8 - tap : tap) * channels + first + c, taps, tap * STRIP, strip);
      }
      for (int r = 0; r < 3; r++) {
        MATH.filter(half, r * IN * STRIP, STRIP, taps, r * 3 * STRIP, STRIP, strip);
      }
      for (int j = 0; j < IN; j++) {
        MATH.filter(u, at + c + j * point, IN * point, half, j * STRIP, IN * STRIP, strip);
      }
    }
  }

  /** {@code dw += G^T u G} for the filters [first, first + count); u is [POINTS][count][channels]. */
  private static void addFilterGradients(float[] dw, float[] u, int first, int count, int channels) {
    int point = count * channels;
    Parallel.ranges(count, TASK, (from, to) -> {
      float[] taps = Workspace.WINOGRAD_TAPS.floats(9 * STRIP);
      float[] half = Workspace.WINOGRAD_HALF.floats(POINTS * STRIP);
      for (int o = from; o < to; o++) {
        for (int c = 0; c < channels; c += STRIP) {
          int n = Math.min(STRIP, channels - c);
          for (int i = 0; i < IN; i++) {
            MATH.filterGradient(half, i * 3 * STRIP, STRIP, u, i * IN * point + o * channels + c, point, n);
          }
          for (int s = 0; s < 3; s++) {
            MATH.filterGradient(taps, s * STRIP, 3 * STRIP, half, s * STRIP, 3 * STRIP, n);
          }
          for (int tap = 0; tap < 9; tap++) {
            int at = ((first + o) * 9 + tap) * channels + c;
            Simd.MATH.add(dw, at, dw, at, taps, tap * STRIP, n);
          }
        }
      }
    });
  }
}
