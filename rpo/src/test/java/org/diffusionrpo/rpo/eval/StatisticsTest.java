package org.diffusionrpo.rpo.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void spreadHasTheSampleDeviation() {
    Spread spread = Spread.of(1, 2, 4);
    assertEquals(7 / 3.0, spread.mean(), 1e-15);
    assertEquals(Math.sqrt(7 / 3.0), spread.deviation(), 1e-15);
    assertEquals("2.33 ± 1.53", spread.format(2));
  }

  @Test
  void oneSeedHasNoSpread() {
    assertTrue(Double.isNaN(Spread.of(3).deviation()));
    assertEquals("3.0", Spread.of(3).format(1));
    assertThrows(IllegalArgumentException.class, Spread::of);
  }

  @Test
  void bootstrapIntervalOfAGaussianMatchesTheory() {
    Random random = new Random(1);
    double[] values = random.doubles(400).map(u -> random.nextGaussian()).toArray();
    Spread spread = Spread.of(values);
    double expected = 1.96 * spread.deviation() / Math.sqrt(values.length);
    Bootstrap.Interval interval = Bootstrap.ofMean(values, 0.95, 4000, 7);
    // 4,000 resamples leave about 3% noise in a 95% bound.
    assertEquals(spread.mean() - expected, interval.low(), 0.1 * expected);
    assertEquals(spread.mean() + expected, interval.high(), 0.1 * expected);
    assertEquals(interval, Bootstrap.ofMean(values, 0.95, 4000, 7));
  }

  @Test
  void signTestIsBinomial() {
    double[] a = {1, 1, 1, 1, 1, 1, 1, 0, 5};
    double[] b = {0, 0, 0, 0, 0, 0, 0, 1, 5};
    assertEquals(2 * (1 + 8) / 256.0, PairedTest.signTest(a, b), 1e-12);
    assertEquals(1, PairedTest.signTest(a, a));
    assertEquals(7.5 / 9, PairedTest.winRate(a, b), 1e-15);
  }

  @Test
  void permutationTestCountsSignPatterns() {
    double[] zero = new double[4];
    assertEquals(2 / 16.0, PairedTest.permutationTest(new double[] {1, 2, 3, 4}, zero, 0, 0), 1e-15);
    // |sum| >= 8 of 1..4 with signs: +-10 and +-(10 - 2) only.
    assertEquals(4 / 16.0, PairedTest.permutationTest(new double[] {-1, 2, 3, 4}, zero, 0, 0), 1e-15);
    assertEquals(1, PairedTest.permutationTest(zero, zero, 0, 0));
  }

  @Test
  void sampledPermutationsAgreeWithTheNormalApproximation() {
    Random random = new Random(3);
    double[] a = random.doubles(100).map(u -> 0.2 + random.nextGaussian()).toArray();
    double[] zero = new double[a.length];
    double z = Math.abs(Arrays.stream(a).sum()) / Math.sqrt(Arrays.stream(a).map(v -> v * v).sum());
    double expected = 2 * (1 - new NormalDistribution().cumulativeProbability(z));
    double p = PairedTest.permutationTest(a, zero, 20_000, 5);
    // Sampling noise of p is sqrt(p (1 - p) / 20,000), at most 0.0036; the normal approximation adds its own.
    assertEquals(expected, p, 0.01);
    assertEquals(p, PairedTest.permutationTest(a, zero, 20_000, 5));
  }

  @Test
  void unequalLengthsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> PairedTest.signTest(new double[2], new double[3]));
    assertThrows(IllegalArgumentException.class, () -> Bootstrap.ofMean(new double[0], .95, 1000, 1));
  }
}
