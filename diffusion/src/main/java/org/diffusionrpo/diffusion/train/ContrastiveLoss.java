package org.diffusionrpo.diffusion.train;

/**
 * CLIP's symmetric cross entropy over the cosines of a batch of pairs. Radford et al. 2021, arXiv:2103.00020, figure 3.
 * <pre>
 *   s_ij = exp(logitScale) cos(image_i, text_j)     L = (CE over rows + CE over columns) / 2, the target is i = j
 * </pre>
 * Plain double arithmetic on the host: the matrices are small.
 */
public final class ContrastiveLoss {
  private final double loss;
  private final double accuracy;
  private final float[] dImages;
  private final float[] dTexts;
  private final double dLogitScale;

  /**
   * @param images image embeds [n, e], not normalised
   * @param texts text embeds [n, e], not normalised
   */
  public ContrastiveLoss(float[] images, float[] texts, int n, double logitScale) {
    int e = images.length / n;
    double[][] u = new double[n][e];
    double[][] v = new double[n][e];
    double[] uNorm = normalise(u, images);
    double[] vNorm = normalise(v, texts);
    double scale = Math.exp(logitScale);
    double[][] s = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        s[i][j] = scale * dot(u[i], v[j]);
      }
    }
    double[][] ds = new double[n][n];
    double sum = 0;
    int right = 0;
    for (int i = 0; i < n; i++) {
      sum += crossEntropy(s, ds, i, true) + crossEntropy(s, ds, i, false);
      right += isLargestOfRow(s[i], i) ? 1 : 0;
    }
    this.loss = sum / (2 * n);
    this.accuracy = (double) right / n;
    double dScale = 0;
    double[][] du = new double[n][e];
    double[][] dv = new double[n][e];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        dScale += ds[i][j] * s[i][j];
        double d = ds[i][j] * scale;
        for (int k = 0; k < e; k++) {
          du[i][k] += d * v[j][k];
          dv[j][k] += d * u[i][k];
        }
      }
    }
    this.dLogitScale = dScale;
    this.dImages = throughNorm(du, u, uNorm);
    this.dTexts = throughNorm(dv, v, vNorm);
  }

  public double loss() {
    return loss;
  }

  /** Share of images whose own text is the most similar of the batch. */
  public double accuracy() {
    return accuracy;
  }

  public float[] dImages() {
    return dImages;
  }

  public float[] dTexts() {
    return dTexts;
  }

  public double dLogitScale() {
    return dLogitScale;
  }

  /** Adds the gradient of row or column i to ds, already divided by 2 n, and returns its cross entropy. */
  private static double crossEntropy(double[][] s, double[][] ds, int i, boolean row) {
    int n = s.length;
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < n; j++) {
      max = Math.max(max, row ? s[i][j] : s[j][i]);
    }
    double total = 0;
    for (int j = 0; j < n; j++) {
      total += Math.exp((row ? s[i][j] : s[j][i]) - max);
    }
    for (int j = 0; j < n; j++) {
      double p = Math.exp((row ? s[i][j] : s[j][i]) - max) / total;
      double d = (p - (i == j ? 1 : 0)) / (2 * n);
      if (row) {
        ds[i][j] += d;
      } else {
        ds[j][i] += d;
      }
    }
    return max + Math.log(total) - s[i][i];
  }

  private static boolean isLargestOfRow(double[] row, int i) {
    for (double value : row) {
      if (value > row[i]) {
        return false;
      }
    }
    return true;
  }

  private static double[] normalise(double[][] unit, float[] x) {
    int e = unit[0].length;
    double[] norms = new double[unit.length];
    for (int i = 0; i < unit.length; i++) {
      double sum = 0;
      for (int k = 0; k < e; k++) {
        unit[i][k] = x[i * e + k];
        sum += unit[i][k] * unit[i][k];
      }
      norms[i] = Math.sqrt(sum);
      for (int k = 0; k < e; k++) {
        unit[i][k] /= norms[i];
      }
    }
    return norms;
  }

  /** The gradient through x / |x|: (d - u (u . d)) / |x|. */
  private static float[] throughNorm(double[][] d, double[][] unit, double[] norms) {
    int e = unit[0].length;
    float[] dx = new float[unit.length * e];
    for (int i = 0; i < unit.length; i++) {
      double along = dot(unit[i], d[i]);
      for (int k = 0; k < e; k++) {
        dx[i * e + k] = (float) ((d[i][k] - unit[i][k] * along) / norms[i]);
      }
    }
    return dx;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }
}
