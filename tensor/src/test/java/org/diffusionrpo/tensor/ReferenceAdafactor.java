package org.diffusionrpo.tensor;

import static org.diffusionrpo.tensor.ReferenceBackend.values;

/** Adafactor in doubles, over an array [outer, rows, columns, inner] whose middle axes are factored. */
final class ReferenceAdafactor {
  private ReferenceAdafactor() {}

  static void step(Tensor w, Tensor g, Tensor rows, Tensor columns, Backend.AdafactorStep step) {
    double keep = 1 - Math.pow(step.k(), -0.8);
    double[] update = columns == null ? full(g, rows, keep) : factored(g, rows, columns, keep);
    double squares = 0;
    for (double u : update) {
      squares += u * u / update.length;
    }
    double clip = Math.max(1, Math.sqrt(squares));
    for (int i = 0; i < update.length; i++) {
      values(w)[i] -= step.lr() * (step.decay() * values(w)[i] + update[i] / clip);
    }
  }

  private static double[] full(Tensor g, Tensor v, double keep) {
    double[] update = new double[g.size()];
    for (int i = 0; i < update.length; i++) {
      values(v)[i] = keep * values(v)[i] + (1 - keep) * square(g, i);
      update[i] = values(g)[i] / Math.sqrt(values(v)[i]);
    }
    return update;
  }

  private static double[] factored(Tensor g, Tensor rowState, Tensor columnState, double keep) {
    boolean convolution = g.shape().rank() == 4;
    int outer = convolution ? g.dim(0) : 1;
    int rows = g.dim(convolution ? 1 : 0);
    int columns = g.dim(convolution ? 2 : 1);
    int inner = convolution ? g.dim(3) : 1;
    double[] update = new double[g.size()];
    for (int matrix = 0; matrix < outer * inner; matrix++) {
      int firstRow = matrix / inner * rows * inner + matrix % inner;
      int firstColumn = matrix / inner * columns * inner + matrix % inner;
      int first = matrix / inner * rows * columns * inner + matrix % inner;
      double[] rowMean = new double[rows];
      double[] columnMean = new double[columns];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          double u = square(g, first + (r * columns + c) * inner);
          rowMean[r] += u / columns;
          columnMean[c] += u / rows;
        }
      }
      double meanOfRows = 0;
      for (int r = 0; r < rows; r++) {
        int at = firstRow + r * inner;
        values(rowState)[at] = keep * values(rowState)[at] + (1 - keep) * rowMean[r];
        meanOfRows += values(rowState)[at] / rows;
      }
      for (int c = 0; c < columns; c++) {
        int at = firstColumn + c * inner;
        values(columnState)[at] = keep * values(columnState)[at] + (1 - keep) * columnMean[c];
      }
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          int at = first + (r * columns + c) * inner;
          update[at] = values(g)[at] / Math.sqrt(values(rowState)[firstRow + r * inner] / meanOfRows)
              / Math.sqrt(values(columnState)[firstColumn + c * inner]);
        }
      }
    }
    return update;
  }

  private static double square(Tensor g, int i) {
    return values(g)[i] * values(g)[i] + 1e-30;
  }
}
