package org.diffusionrpo.rpo.eval;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;

/** Limited-memory BFGS for smooth convex functions. Nocedal and Wright 2006, algorithms 7.4 and 7.5. */
final class Lbfgs {
  private static final int MEMORY = 10;
  private static final double SUFFICIENT_DECREASE = 1e-4;

  /** Gradients below this, against values of order 1, are rounding. */
  private static final double TOLERANCE = 1e-9;

  /** A function with its gradient. */
  @FunctionalInterface
  interface Objective {
    /** Returns the value at {@code x} and overwrites {@code gradient}. */
    double evaluate(double[] x, double[] gradient);
  }

  /** A step s, the change y of the gradient along it, and 1 / (s y). */
  private record Curvature(double[] s, double[] y, double rho) {}

  private Lbfgs() {}

  /** The point reached from the origin after at most {@code iterations} steps. */
  static double[] minimise(int dimensions, int iterations, Objective objective) {
    double[] x = new double[dimensions];
    double[] gradient = new double[dimensions];
    double value = objective.evaluate(x, gradient);
    Deque<Curvature> memory = new ArrayDeque<>();
    for (int t = 0; t < iterations && Math.sqrt(dot(gradient, gradient)) > TOLERANCE; t++) {
      double[] direction = direction(gradient, memory);
      double slope = dot(gradient, direction);
      double[] next = new double[dimensions];
      double[] nextGradient = new double[dimensions];
      double step = t == 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
      double nextValue = objective.evaluate(along(next, x, direction, step), nextGradient);
      while (!(nextValue <= value + SUFFICIENT_DECREASE * step * slope)) {
        step /= 2;
        if (step < 1e-12) {
          return x; // no descent left above rounding
        }
        nextValue = objective.evaluate(along(next, x, direction, step), nextGradient);
      }
      remember(memory, along(new double[dimensions], next, x, -1), along(new double[dimensions], nextGradient,
          gradient, -1));
      x = next;
      gradient = nextGradient;
      value = nextValue;
    }
    return x;
  }

  private static void remember(Deque<Curvature> memory, double[] s, double[] y) {
    double product = dot(s, y);
    if (product > 0) {
      memory.addLast(new Curvature(s, y, 1 / product));
      if (memory.size() > MEMORY) {
        memory.removeFirst();
      }
    }
  }

  /** The two-loop recursion: minus the inverse Hessian's estimate times the gradient. */
  private static double[] direction(double[] gradient, Deque<Curvature> memory) {
    double[] q = Arrays.stream(gradient).map(g -> -g).toArray();
    double[] alphas = new double[memory.size()];
    int k = memory.size();
    for (Iterator<Curvature> newestFirst = memory.descendingIterator(); newestFirst.hasNext();) {
      Curvature pair = newestFirst.next();
      alphas[--k] = pair.rho() * dot(pair.s(), q);
      along(q, q, pair.y(), -alphas[k]);
    }
    if (!memory.isEmpty()) {
      Curvature newest = memory.getLast();
      double scale = 1 / (newest.rho() * dot(newest.y(), newest.y()));
      Arrays.setAll(q, i -> q[i] * scale);
    }
    for (Curvature pair : memory) {
      along(q, q, pair.s(), alphas[k++] - pair.rho() * dot(pair.y(), q));
    }
    return q;
  }

  /** {@code out = x + step * direction}. */
  private static double[] along(double[] out, double[] x, double[] direction, double step) {
    for (int i = 0; i < out.length; i++) {
      out[i] = x[i] + step * direction[i];
    }
    return out;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
