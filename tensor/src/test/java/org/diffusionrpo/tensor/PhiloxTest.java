package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

class PhiloxTest {
  private static final int DRAWS = 200_000;
  /** Statistics of fixed seeds must lie within this many standard deviations; a fair one exceeds it once in 16,000. */
  private static final double SIGMAS = 4;

  @Test
  void blockGivesThePublishedKnownAnswers() { // Random123, kat_vectors, philox4x32 10
    assertBlock("6627e8d5 e169c58d bc57ac4c 9b00dbd8", 0, 0, 0, 0, 0, 0);
    assertBlock("408f276d 41c83b0e a20bc7c6 6d5451fd", -1, -1, -1, -1, -1, -1);
    assertBlock("d16cfe09 94fdcceb 5001e420 24126ea1",
        0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0);
  }

  @Test
  void streamIsAFunctionOfItsName() {
    assertArrayEquals(ints(Philox.stream(7, "noise", 3)), ints(Philox.stream(7, "noise", 3)));
  }

  @Test
  void everyPartOfTheNameChangesTheStream() {
    int[] stream = ints(Philox.stream(7, "noise", 3));
    for (Philox other : new Philox[] {
        Philox.stream(8, "noise", 3), Philox.stream(7 + (1L << 32), "noise", 3), Philox.stream(7, "timestep", 3),
        Philox.stream(7, "noise", 4), Philox.stream(7, "noise", 3 + (1L << 32)), Philox.stream(7, "", 3)}) {
      int[] values = ints(other);
      for (int i = 0; i < values.length; i++) {
        assertNotEquals(stream[i], values[i]);
      }
    }
  }

  @Test
  void firstNumbersNeverChange() { // else old runs could not be repeated
    Philox stream = Philox.stream(42, "noise", 5);
    assertEquals(EXPECTED_INT, stream.nextInt());
    assertEquals(EXPECTED_DOUBLE, stream.nextDouble());
    assertEquals(EXPECTED_GAUSSIAN, stream.nextGaussian());
  }

  @Test
  void fillGaussianEqualsSingleDraws() {
    float[] filled = new float[101];
    Philox.stream(1, "fill", 0).fillGaussian(filled);
    Philox single = Philox.stream(1, "fill", 0);
    for (float value : filled) {
      assertEquals((float) single.nextGaussian(), value);
    }
  }

  @Test
  void uniformsHaveMomentsOfTheUniformLaw() {
    Philox floats = Philox.stream(1, "uniform", 0);
    assertMoments(floats::nextFloat, 0.5, 1 / 12.0, 1 / 80.0);
    Philox doubles = Philox.stream(1, "uniform", 1);
    assertMoments(doubles::nextDouble, 0.5, 1 / 12.0, 1 / 80.0);
  }

  @Test
  void gaussiansHaveMomentsOfTheNormalLaw() {
    Philox stream = Philox.stream(1, "gaussian", 0);
    assertMoments(stream::nextGaussian, 0, 1, 3);
  }

  @Test
  void gaussianTailsHaveTheirWeight() {
    Philox stream = Philox.stream(2, "gaussian", 0);
    int beyondTwo = 0;
    for (int i = 0; i < DRAWS; i++) {
      beyondTwo += Math.abs(stream.nextGaussian()) > 2 ? 1 : 0;
    }
    assertShare(0.0455002639, beyondTwo, DRAWS);
  }

  @Test
  void streamsOfOneRunAreUncorrelated() {
    Philox[] streams = {Philox.stream(1, "a", 0), Philox.stream(1, "a", 1), Philox.stream(1, "b", 0),
        Philox.stream(2, "a", 0)};
    double[][] values = new double[streams.length][DRAWS];
    for (int s = 0; s < streams.length; s++) {
      for (int i = 0; i < DRAWS; i++) {
        values[s][i] = streams[s].nextGaussian();
      }
    }
    for (int s = 0; s < streams.length; s++) {
      for (int t = 0; t < s; t++) {
        assertUncorrelated(values[s], values[t], 0);
      }
      assertUncorrelated(values[s], values[s], 1);
    }
  }

  @Test
  void everyBitIsSetHalfTheTime() {
    Philox stream = Philox.stream(3, "bits", 0);
    int[] ones = new int[32];
    for (int i = 0; i < DRAWS; i++) {
      int value = stream.nextInt();
      for (int bit = 0; bit < 32; bit++) {
        ones[bit] += value >>> bit & 1;
      }
    }
    for (int count : ones) {
      assertShare(0.5, count, DRAWS);
    }
  }

  @Test
  void boundedDrawsAreFairEvenWhereRejectionIsFrequent() {
    Philox stream = Philox.stream(4, "bound", 0);
    int[] counts = new int[7];
    for (int i = 0; i < DRAWS; i++) {
      counts[stream.nextInt(7)]++;
    }
    for (int count : counts) {
      assertShare(1 / 7.0, count, DRAWS);
    }
    int bound = 3 << 29; // 2^32 / bound = 8/3: without rejection one value in three would be too rare by half
    int[] remainder = new int[3];
    for (int i = 0; i < DRAWS; i++) {
      remainder[stream.nextInt(bound) % 3]++;
    }
    for (int count : remainder) {
      assertShare(1 / 3.0, count, DRAWS);
    }
  }

  @Test
  void boundMustBePositive() {
    Philox stream = Philox.stream(4, "bound", 0);
    assertThrows(IllegalArgumentException.class, () -> stream.nextInt(0));
    assertThrows(IllegalArgumentException.class, () -> stream.nextInt(-3));
    assertEquals(0, stream.nextInt(1));
  }

  @Test
  void permutationsOfFourAreEquallyLikely() {
    Philox stream = Philox.stream(5, "order", 0);
    int[] counts = new int[256];
    for (int i = 0; i < DRAWS; i++) {
      int[] order = stream.permutation(4);
      counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    int[] seen = Arrays.stream(counts).filter(count -> count > 0).toArray();
    assertEquals(24, seen.length);
    for (int count : seen) {
      assertShare(1 / 24.0, count, DRAWS);
    }
  }

  @Test
  void permutationHoldsEachNumberOnce() {
    int[] order = Philox.stream(6, "order", 0).permutation(1001);
    Arrays.sort(order);
    for (int i = 0; i < order.length; i++) {
      assertEquals(i, order[i]);
    }
    assertEquals(0, Philox.stream(6, "order", 0).permutation(0).length);
  }

  @Test
  void fillUniformStaysInItsRange() {
    float[] values = new float[DRAWS];
    Philox.stream(7, "uniform", 0).fillUniform(values, -3, 5);
    double sum = 0;
    for (float value : values) {
      assertTrue(value >= -3 && value < 5);
      sum += value;
    }
    assertEquals(1, sum / DRAWS, SIGMAS * Math.sqrt(64 / 12.0 / DRAWS));
  }

  private static final int EXPECTED_INT = 2145032944;
  private static final double EXPECTED_DOUBLE = 0.3344096634285191;
  private static final double EXPECTED_GAUSSIAN = -1.256923628287781;

  private static void assertBlock(String expected, int c0, int c1, int c2, int c3, int k0, int k1) {
    int[] out = new int[4];
    Philox.block(out, c0, c1, c2, c3, k0, k1);
    assertEquals(expected, String.format("%08x %08x %08x %08x", out[0], out[1], out[2], out[3]));
  }

  private static int[] ints(Philox stream) {
    int[] values = new int[33];
    Arrays.setAll(values, i -> stream.nextInt());
    return values;
  }

  /** Compares mean and central second moment; the fourth central moment gives the spread of the second. */
  private static void assertMoments(DoubleSupplier draw, double mean, double second, double fourth) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < DRAWS; i++) {
      double value = draw.getAsDouble() - mean;
      sum += value;
      squares += value * value;
    }
    assertEquals(0, sum / DRAWS, SIGMAS * Math.sqrt(second / DRAWS));
    assertEquals(second, squares / DRAWS, SIGMAS * Math.sqrt((fourth - second * second) / DRAWS));
  }

  private static void assertShare(double share, int count, int draws) {
    assertEquals(share, (double) count / draws, SIGMAS * Math.sqrt(share * (1 - share) / draws));
  }

  private static void assertUncorrelated(double[] a, double[] b, int lag) {
    double sum = 0;
    for (int i = lag; i < DRAWS; i++) {
      sum += a[i] * b[i - lag];
    }
    assertEquals(0, sum / DRAWS, SIGMAS / Math.sqrt(DRAWS));
  }
}
