package org.diffusionrpo.diffusion.schedule;

import static org.diffusionrpo.diffusion.schedule.TimestepSpacing.LEADING;
import static org.diffusionrpo.diffusion.schedule.TimestepSpacing.LINSPACE;
import static org.diffusionrpo.diffusion.schedule.TimestepSpacing.TRAILING;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimestepSpacingTest {
  /** An ellipsis stands for timesteps that are not listed. */
  @ParameterizedTest
  @CsvSource({
      "LEADING, 4, 751 501 251 1",
      "LEADING, 10, 901 801 ... 101 1",
      "LEADING, 20, 951 901 ... 51 1",
      "LEADING, 30, 958 925 892 ... 67 34 1",
      "LEADING, 50, 981 961 ... 21 1",
      "TRAILING, 4, 999 749 499 249",
      "TRAILING, 10, 999 899 ... 199 99",
      "TRAILING, 20, 999 949 ... 99 49",
      "TRAILING, 30, 999 966 932 899 ... 99 66 32",
      "TRAILING, 50, 999 979 ... 39 19",
      "LINSPACE, 4, 999 666 333 0",
      "LINSPACE, 10, 999 888 ... 111 0",
      "LINSPACE, 20, 999 946 894 841 ... 105 53 0",
      "LINSPACE, 30, 999 965 930 896 ... 69 34 0"})
  void listsTheReferencesTimesteps(TimestepSpacing spacing, int steps, String expected) {
    assertListed(expected, steps, spacing.timesteps(1000, steps, spacing == LEADING ? 1 : 0));
  }

  @ParameterizedTest
  @CsvSource({
      "LEADING, 20, 941 894 847 ... 95 48",
      "TRAILING, 20, 999 949 ... 99 49",
      "LINSPACE, 4, 999 749 500 250",
      "LINSPACE, 20, 999 949 899 849 799 749 699 649 599 549 500 450 ... 100 50"})
  void keepsClearOfZeroForDpmSolver(TimestepSpacing spacing, int steps, String expected) {
    assertListed(expected, steps, spacing.timestepsAboveZero(1000, steps, 1));
  }

  /** Any number of steps: leading by whole numbers, the others the nearest whole numbers to exact fractions. */
  @Test
  void followsTheFormulasForEveryNumberOfSteps() {
    for (int steps = 1; steps <= 500; steps++) {
      int[] leading = LEADING.timesteps(1000, steps, 1);
      int[] trailing = TRAILING.timesteps(1000, steps, 1);
      int[] linspace = LINSPACE.timesteps(1000, steps, 1);
      int[] aboveZero = LINSPACE.timestepsAboveZero(1000, steps, 1);
      for (int i = 0; i < steps; i++) {
        int left = steps - 1 - i;
        assertEquals(left * (1000 / steps) + 1, leading[i]);
        assertNearest(1000L * (steps - i), steps, trailing[i] + 1);
        assertNearest(steps == 1 ? 0 : 999L * left, Math.max(1, steps - 1), linspace[i]);
        assertNearest(999L * (left + 1), steps, aboveZero[i]);
      }
    }
  }

  @Test
  void keepsFractionsForEuler() {
    assertArrayEquals(new double[] {999, 749.25, 499.5, 249.75, 0}, LINSPACE.fractional(1000, 5, 1), 1e-12);
    assertArrayEquals(new double[] {751, 501, 251, 1}, LEADING.fractional(1000, 4, 1));
  }

  @Test
  void visitsEveryTimestepWhenAskedForAll() {
    for (TimestepSpacing spacing : TimestepSpacing.values()) {
      int[] all = spacing.timesteps(1000, 1000, 0);
      for (int i = 0; i < 1000; i++) {
        assertEquals(999 - i, all[i], spacing.name());
      }
    }
  }

  @Test
  void refusesStepsThatLeaveTheSchedule() {
    assertThrows(IllegalArgumentException.class, () -> LINSPACE.timesteps(1000, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> TRAILING.timesteps(1000, 1001, 0));
    assertThrows(IllegalArgumentException.class, () -> LEADING.timestepsAboveZero(1000, 1000, 0));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> LEADING.timesteps(1000, 1000, 1));
    assertTrue(e.getMessage().contains("timestep 1000 of 0 .. 999"), e.getMessage());
  }

  private static void assertNearest(long numerator, long denominator, long actual) {
    assertTrue(2 * Math.abs(actual * denominator - numerator) <= denominator,
        () -> actual + " for " + numerator + " / " + denominator);
  }

  private static void assertListed(String expected, int steps, int[] timesteps) {
    assertEquals(steps, timesteps.length);
    String[] parts = expected.split(" \\.\\.\\. ");
    int[] head = numbers(parts[0]);
    assertArrayEquals(head, Arrays.copyOf(timesteps, head.length));
    int[] tail = numbers(parts[parts.length - 1]);
    assertArrayEquals(tail, Arrays.copyOfRange(timesteps, steps - tail.length, steps));
  }

  private static int[] numbers(String words) {
    return Arrays.stream(words.split(" ")).mapToInt(Integer::parseInt).toArray();
  }
}
