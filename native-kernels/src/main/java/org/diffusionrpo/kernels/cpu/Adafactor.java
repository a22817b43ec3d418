package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Adafactor with an external learning rate and no momentum. Shazeer and Stern 2018, arXiv:1804.04235, algorithm 4 for
 * matrices and algorithm 5 for vectors, with the decay of section 7.2 and the decoupled weight decay of AdamW.
 * <pre>
 *   b = 1 - k^-0.8     u = g^2 + 1e-30
 *   matrix: R = b R + (1 - b) mean_columns(u)     C = b C + (1 - b) mean_rows(u)
 *           U = g / sqrt(R / mean(R)) / sqrt(C)
 *   vector: V = b V + (1 - b) u                   U = g / sqrt(V)
 *   U = U / max(1, rms(U))     w = w - lr decay w - lr U
 * </pre>
 * rms(U) is taken over the whole parameter. R, C and V start as zeros.
 */
public final class Adafactor {
  private static final double DECAY_EXPONENT = -0.8;
  private static final double SQUARE_FLOOR = 1e-30;
  private static final double CLIP_THRESHOLD = 1;

  private static final ArrayMath MATH = Simd.MATH;
  private static final OptimizerMath OPTIMIZER = Simd.OPTIMIZER;

  private Adafactor() {}

  /**
   * One step on a parameter of rank 2 or more, stored as {@code [outer, rows, columns, inner]}; the axes rows and
   * columns are factored. A linear layer has {@code outer = inner = 1}. A convolution's filters [O, H, W, I] have
   * {@code outer = O, rows = H, columns = W, inner = I}: the last two axes of the usual (O, I, H, W) are factored.
   *
   * @param rowState R, [outer, rows, inner]
   * @param columnState C, [outer, columns, inner]
   * @param k the number of this step, counted from 1
   */
  public static void step(float[] w, float[] g, float[] rowState, float[] columnState, int outer, int rows,
      int columns, int inner, long k, double lr, double decay) {
    double keep = keep(k);
    Lines lines = new Lines(outer, rows, columns, inner);
    updateStates(rowState, columnState, g, lines, keep);
    float[] rowFactor = rowFactor(rowState, lines);
    float[] columnFactor = inverseRoot(columnState, outer * columns * inner);

    double[] parts = new double[lines.tasks()];
    Parallel.run(lines.tasks(), task -> {
      float[] factor = new float[lines.length()];
      double sum = 0;
      for (int line = lines.first(task); line < lines.end(task); line++) {
        lines.factor(factor, line, rowFactor, columnFactor);
        sum += OPTIMIZER.sumOfSquaredProducts(g, line * lines.length(), factor, 0, lines.length());
      }
      parts[task] = sum;
    });
    float rate = clippedRate(lr, parts, (double) outer * rows * lines.length());
    Parallel.run(lines.tasks(), task -> {
      float[] factor = new float[lines.length()];
      for (int line = lines.first(task); line < lines.end(task); line++) {
        lines.factor(factor, line, rowFactor, columnFactor);
        int at = line * lines.length();
        OPTIMIZER.factoredUpdate(w, at, g, at, factor, 0, (float) (lr * decay), rate, lines.length());
      }
    });
  }

  /**
   * One step on a parameter of rank 0 or 1 with n elements.
   *
   * @param v V, [n]
   * @param k the number of this step, counted from 1
   */
  public static void step(float[] w, float[] g, float[] v, int n, long k, double lr, double decay) {
    double keep = keep(k);
    for (int i = 0; i < n; i++) {
      v[i] = (float) (keep * v[i] + (1 - keep) * ((double) g[i] * g[i] + SQUARE_FLOOR));
    }
    float[] factor = inverseRoot(v, n);
    double[] sum = {OPTIMIZER.sumOfSquaredProducts(g, 0, factor, 0, n)};
    OPTIMIZER.factoredUpdate(w, 0, g, 0, factor, 0, (float) (lr * decay), clippedRate(lr, sum, n), n);
  }

  private static double keep(long k) {
    if (k < 1) {
      throw new IllegalArgumentException("Adafactor: step " + k + ", expected 1 or more");
    }
    return 1 - Math.pow(k, DECAY_EXPONENT);
  }

  private static void updateStates(float[] rowState, float[] columnState, float[] g, Lines lines, double keep) {
    int inner = lines.inner;
    float[][] columnSums = new float[lines.tasks()][];
    Parallel.run(lines.tasks(), task -> {
      float[] columnSum = new float[lines.length()];
      float[] rowSum = new float[inner];
      for (int line = lines.first(task); line < lines.end(task); line++) {
        int at = line * lines.length();
        OPTIMIZER.addSquares(columnSum, 0, g, at, lines.length());
        lines.sumSquaresOverColumns(rowSum, g, at);
        for (int i = 0; i < inner; i++) {
          double mean = rowSum[i] / (double) lines.columns + SQUARE_FLOOR;
          rowState[line * inner + i] = (float) (keep * rowState[line * inner + i] + (1 - keep) * mean);
        }
      }
      columnSums[task] = columnSum;
    });
    int length = lines.length();
    Parallel.ranges(lines.outer * length, Parallel.GRAIN, (from, to) -> {
      for (int start = from; start < to; ) { // one matrix, or the part of it inside the range
        int matrix = start / length;
        int end = Math.min(to, (matrix + 1) * length);
        for (int i = start; i < end; i++) {
          double sum = 0;
          for (int block = matrix * lines.blocks; block < (matrix + 1) * lines.blocks; block++) {
            sum += columnSums[block][i - matrix * length];
          }
          columnState[i] = (float) (keep * columnState[i] + (1 - keep) * (sum / lines.rows + SQUARE_FLOOR));
        }
        start = end;
      }
    });
  }

  /** {@code 1 / sqrt(R / mean(R))}, the mean over the rows of one matrix. */
  private static float[] rowFactor(float[] rowState, Lines lines) {
    int inner = lines.inner;
    float[] factor = new float[lines.outer * lines.rows * inner];
    Parallel.ranges(lines.outer, Elementwise.rowsPerTask(lines.rows * inner), (from, to) -> {
      double[] sum = new double[inner];
      float[] mean = new float[inner];
      for (int o = from; o < to; o++) {
        Arrays.fill(sum, 0);
        for (int at = o * lines.rows * inner; at < (o + 1) * lines.rows * inner; at += inner) {
          for (int i = 0; i < inner; i++) {
            sum[i] += rowState[at + i];
          }
        }
        for (int i = 0; i < inner; i++) {
          mean[i] = (float) (sum[i] / lines.rows);
        }
        for (int at = o * lines.rows * inner; at < (o + 1) * lines.rows * inner; at += inner) {
          for (int i = 0; i < inner; i++) {
            factor[at + i] = (float) Math.sqrt(mean[i] / rowState[at + i]);
          }
        }
      }
    });
    return factor;
  }

  private static float[] inverseRoot(float[] state, int n) {
    float[] result = new float[n];
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> {
      for (int i = from; i < to; i++) {
        result[i] = 1 / (float) Math.sqrt(state[i]);
      }
    });
    return result;
  }

  private static float clippedRate(double lr, double[] squares, double count) {
    double total = 0;
    for (double square : squares) {
      total += square;
    }
    return (float) (lr / Math.max(1, Math.sqrt(total / count) / CLIP_THRESHOLD));
  }

  /** The parameter as outer * rows lines of columns * inner elements, cut into blocks of lines of one matrix. */
  private static final class Lines {
    final int outer;
    final int rows;
    final int columns;
    final int inner;
    /** Blocks of one matrix, each one task. */
    final int blocks;
    private final int blockRows;

    Lines(int outer, int rows, int columns, int inner) {
      this.outer = outer;
      this.rows = rows;
      this.columns = columns;
      this.inner = inner;
      // 16 lines or more, or the column sums of the blocks would be as large as the parameter; and not more than a
      // float sum can take.
      this.blockRows = Math.max(16, Math.min(128, Elementwise.rowsPerTask(length())));
      this.blocks = (rows + blockRows - 1) / blockRows;
    }

    int length() {
      return columns * inner;
    }

    int tasks() {
      return outer * blocks;
    }

    int first(int task) {
      return task / blocks * rows + task % blocks * blockRows;
    }

    int end(int task) {
      return Math.min(first(task) + blockRows, (task / blocks + 1) * rows);
    }

    void sumSquaresOverColumns(float[] sum, float[] g, int at) {
      if (inner == 1) {
        sum[0] = (float) Reduce.sumOfSquares(g, at, at + columns);
        return;
      }
      Arrays.fill(sum, 0);
      for (int column = 0; column < columns; column++) {
        OPTIMIZER.addSquares(sum, 0, g, at + column * inner, inner);
      }
    }

    /** What one line of g is multiplied with: row factor times column factor. */
    void factor(float[] factor, int line, float[] rowFactor, float[] columnFactor) {
      int matrix = line / rows * length();
      if (inner == 1) {
        MATH.scale(factor, 0, columnFactor, matrix, rowFactor[line], columns);
        return;
      }
      for (int column = 0; column < columns; column++) {
        int at = column * inner;
        MATH.multiply(factor, at, columnFactor, matrix + at, rowFactor, line * inner, inner);
      }
    }
  }
}
