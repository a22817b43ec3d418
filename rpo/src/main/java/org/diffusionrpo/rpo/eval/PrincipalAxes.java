package org.diffusionrpo.rpo.eval;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;

/**
 * The directions of largest variance of a feature set. A Fréchet distance over few images is taken along the leading
 * axes of a larger real set, so that both covariances have full rank.
 *
 * @param mean [D] mean of the set that was fitted
 * @param axes [K][D] orthonormal, by falling variance
 * @param variances [K]
 */
public record PrincipalAxes(double[] mean, double[][] axes, double[] variances) {
  /** The leading {@code count} axes of {@code features} [N][D]. */
  public static PrincipalAxes fit(double[][] features, int count) {
    Gaussian gaussian = Gaussian.fit(features);
    if (count < 1 || count > gaussian.dimensions()) {
      throw new IllegalArgumentException(count + " axes of features with " + gaussian.dimensions() + " dimensions");
    }
    // Eigenvalues of a symmetric matrix come sorted, largest first.
    EigenDecomposition eigen = new EigenDecomposition(new Array2DRowRealMatrix(gaussian.covariance(), false));
    double[][] axes = new double[count][];
    double[] variances = new double[count];
    for (int k = 0; k < count; k++) {
      axes[k] = eigen.getEigenvector(k).toArray();
      variances[k] = eigen.getRealEigenvalue(k);
    }
    return new PrincipalAxes(gaussian.mean(), axes, variances);
  }

  /** Coordinates [N][K] of {@code features} [N][D] along the axes. */
  public double[][] project(double[][] features) {
    double[][] projected = new double[features.length][axes.length];
    for (int i = 0; i < features.length; i++) {
      for (int k = 0; k < axes.length; k++) {
        for (int d = 0; d < mean.length; d++) {
          projected[i][k] += (features[i][d] - mean[d]) * axes[k][d];
        }
      }
    }
    return projected;
  }
}
