package org.diffusionrpo.tensor.optim;

/**
 * Learning rate of each update, counted from 0, independent of accumulation. Warm-up is {@code base * k / warmup} as
 * in diffusers, so with warm-up the first update has rate 0.
 */
public record LearningRate(Schedule schedule, double base, int warmup, int total) {
  /** diffusers' {@code constant_with_warmup}, {@code linear} and {@code cosine}. */
  public enum Schedule {
    CONSTANT, LINEAR, COSINE
  }

  public LearningRate {
    if (!(base >= 0) || Double.isInfinite(base) || warmup < 0 || total < 1) {
      throw new IllegalArgumentException("learning rate " + base + " with " + warmup + " warm-up updates of " + total
          + ": expected a rate and a warm-up of 0 or more and at least one update");
    }
  }

  /** Rate of update k = 0, 1, ... */
  public double at(int k) {
    if (k < warmup) {
      return base * k / warmup;
    }
    double progress = Math.min(1, (double) (k - warmup) / Math.max(1, total - warmup));
    return switch (schedule) {
      case CONSTANT -> base;
      case LINEAR -> base * (1 - progress);
      case COSINE -> base * 0.5 * (1 + StrictMath.cos(Math.PI * progress));
    };
  }
}
