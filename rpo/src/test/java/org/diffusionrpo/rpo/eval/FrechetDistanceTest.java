package org.diffusionrpo.rpo.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class FrechetDistanceTest {
  /** The published numbers carry ten decimals. */
  private static final double GOLDEN = 1e-9;

  @Test
  void twoGaussiansGiveThePublishedDistance() {
    var a = new Gaussian(new double[] {0, 1}, new double[][] {{2, .5}, {.5, 1}}, 100);
    var b = new Gaussian(new double[] {1, -1}, new double[][] {{1, -.2}, {-.2, 3}}, 100);
    assertEquals(5.8838173112, FrechetDistance.between(a, b), GOLDEN);
    assertEquals(5.8838173112, FrechetDistance.between(b, a), GOLDEN);
  }

  @Test
  void aSetHasNoDistanceToItself() {
    Gaussian gaussian = Gaussian.fit(random(4, 60, 13));
    assertEquals(0, FrechetDistance.between(gaussian, gaussian), 1e-10);
  }

  @Test
  void aShiftCountsItsSquaredLengthAndAScaleItsSquaredDifference() {
    double[][] base = random(5, 90, 7);
    double[][] moved = new double[base.length][7];
    double[][] wider = new double[base.length][7];
    Gaussian gaussian = Gaussian.fit(base);
    for (int i = 0; i < base.length; i++) {
      for (int k = 0; k < 7; k++) {
        moved[i][k] = base[i][k] + (k == 2 ? 3 : 0);
        wider[i][k] = gaussian.mean()[k] + 2 * (base[i][k] - gaussian.mean()[k]);
      }
    }
    assertEquals(9, FrechetDistance.between(gaussian, Gaussian.fit(moved)), 1e-9);
    double trace = 0;
    for (int k = 0; k < 7; k++) {
      trace += gaussian.covariance()[k][k];
    }
    assertEquals(trace, FrechetDistance.between(gaussian, Gaussian.fit(wider)), 1e-9);
  }

  @Test
  void rankDeficientCovariancesStayFiniteAndPositive() {
    double distance = FrechetDistance.between(Gaussian.fit(random(6, 5, 20)), Gaussian.fit(random(7, 6, 20)));
    assertTrue(distance > 0 && Double.isFinite(distance), () -> "distance " + distance);
  }

  @Test
  void covarianceDividesByNMinusOne() {
    Gaussian gaussian = Gaussian.fit(new double[][] {{0, 2}, {2, 0}});
    assertArrayEquals(new double[] {1, 1}, gaussian.mean());
    assertArrayEquals(new double[] {2, -2}, gaussian.covariance()[0]);
  }

  @Test
  void principalAxesFindTheLargestVariance() {
    double[][] features = random(8, 200, 5);
    for (double[] row : features) {
      row[3] *= 10;
    }
    PrincipalAxes axes = PrincipalAxes.fit(features, 2);
    assertTrue(Math.abs(axes.axes()[0][3]) > 0.99);
    assertTrue(axes.variances()[0] > axes.variances()[1]);
    double[][] projected = axes.project(features);
    assertEquals(2, projected[0].length);
    Gaussian gaussian = Gaussian.fit(projected);
    assertEquals(axes.variances()[0], gaussian.covariance()[0][0], 1e-9);
    assertEquals(0, gaussian.covariance()[0][1], 1e-9);
  }

  @Test
  void unequalDimensionsAndSingleImagesAreRefused() {
    Gaussian two = Gaussian.fit(random(1, 5, 2));
    Gaussian three = Gaussian.fit(random(1, 5, 3));
    assertThrows(IllegalArgumentException.class, () -> FrechetDistance.between(two, three));
    assertThrows(IllegalArgumentException.class, () -> Gaussian.fit(new double[1][4]));
  }

  private static double[][] random(long seed, int rows, int columns) {
    Random random = new Random(seed);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      for (int k = 0; k < columns; k++) {
        row[k] = random.nextGaussian();
      }
    }
    return values;
  }
}
