package org.diffusionrpo.rpo.eval;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;
import org.apache.commons.math3.linear.RealMatrix;

/**
 * Fréchet distance of two Gaussians. Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, equation 6.
 * <pre>
 *   d^2 = |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)
 *   S1 = Q L Q',  M = L^(1/2) Q' S2 Q L^(1/2),  tr sqrt(S1 S2) = sum_k sqrt(eigenvalue_k(M))
 * </pre>
 * M is symmetric and has the eigenvalues of S1 S2, so no square root of a general matrix is needed. Negative
 * eigenvalues are rounding and count as zero. With N images per side the covariances have rank N - 1 at most: below twice as many
 * images as dimensions the distance measures N more than the images.
 */
public final class FrechetDistance {
  private FrechetDistance() {}

  /** The squared distance, as the field reports it. */
  public static double between(Gaussian a, Gaussian b) {
    int d = a.dimensions();
    if (b.dimensions() != d) {
      throw new IllegalArgumentException("Fréchet distance of " + d + " and " + b.dimensions() + " dimensions");
    }
    double distance = 0;
    for (int k = 0; k < d; k++) {
      double difference = a.mean()[k] - b.mean()[k];
      distance += difference * difference + a.covariance()[k][k] + b.covariance()[k][k];
    }
    return distance - 2 * traceOfRoot(a.covariance(), b.covariance());
  }

  private static double traceOfRoot(double[][] s1, double[][] s2) {
    EigenDecomposition eigen = new EigenDecomposition(new Array2DRowRealMatrix(s1, false));
    double[] values = eigen.getRealEigenvalues();
    RealMatrix half = eigen.getV();
    for (int column = 0; column < values.length; column++) {
      double root = Math.sqrt(Math.max(values[column], 0));
      for (int row = 0; row < values.length; row++) {
        half.multiplyEntry(row, column, root);
      }
    }
    RealMatrix m = half.transpose().multiply(new Array2DRowRealMatrix(s2, false)).multiply(half);
    // Rounding makes M asymmetric, and the decomposition takes its symmetric path only for exactly equal halves.
    RealMatrix symmetric = m.add(m.transpose()).scalarMultiply(0.5);
    double trace = 0;
    for (double value : new EigenDecomposition(symmetric).getRealEigenvalues()) {
      trace += Math.sqrt(Math.max(value, 0));
    }
    return trace;
  }
}
