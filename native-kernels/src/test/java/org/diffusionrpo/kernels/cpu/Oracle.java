package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** What the kernel tests share: fixed random data, comparison with double results, finite differences, repetition. */
final class Oracle {
  /** Step of central differences in double: their own error is then near 1e-9 for values of scale 1. */
  private static final double STEP = 1e-5;
  /** Enough calls for the interpreter, C1 and C2 (on-stack replacement too) to take their turns. */
  private static final int REPETITIONS = 2500;

  private Oracle() {}

  static float[] gaussian(long seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  static double[] toDouble(float[] x) {
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = x[i];
    }
    return result;
  }

  /** The worst difference is at most {@code tolerance} times the largest expected magnitude. */
  static void assertClose(String what, double[] expected, float[] actual, double tolerance) {
    assertClose(what, expected, toDouble(actual), tolerance);
  }

  static void assertClose(String what, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    double largest = 0;
    for (double e : expected) {
      largest = Math.max(largest, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      double error = Math.abs(expected[i] - actual[i]);
      assertTrue(error <= tolerance * Math.max(largest, Double.MIN_NORMAL),
          () -> what + "[" + at + "]: expected " + expected[at] + ", got " + actual[at]);
    }
  }

  /** d/dx of {@code sum f(x) * dy} by central differences. */
  static double[] numericalGradient(UnaryOperator<double[]> f, double[] x, double[] dy) {
    double[] gradient = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double old = x[i];
      x[i] = old + STEP;
      double above = dot(f.apply(x), dy);
      x[i] = old - STEP;
      double below = dot(f.apply(x), dy);
      x[i] = old;
      gradient[i] = (above - below) / (2 * STEP);
    }
    return gradient;
  }

  /** The result has the same bits on each of many calls, and on a single thread. */
  static void assertReproducible(Supplier<float[]> kernel) {
    float[] first = kernel.get();
    for (int i = 0; i < REPETITIONS; i++) {
      assertArrayEquals(first, kernel.get(), "call " + i);
    }
    float[][] serial = new float[1][];
    onOneThread(() -> serial[0] = kernel.get());
    assertArrayEquals(first, serial[0], "on one thread");
  }

  /** Runs {@code work} inside a pool task, where nested kernels stay on the calling thread. */
  static void onOneThread(Runnable work) {
    if (Parallel.threads() == 1) {
      work.run();
      return;
    }
    CountDownLatch bothStarted = new CountDownLatch(2);
    Thread caller = Thread.currentThread();
    Parallel.run(2, task -> {
      bothStarted.countDown();
      try {
        bothStarted.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      if (Thread.currentThread() != caller) {
        work.run();
      }
    });
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
