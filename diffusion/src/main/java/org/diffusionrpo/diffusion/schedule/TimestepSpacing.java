package org.diffusionrpo.diffusion.schedule;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Which of the T training timesteps a sampler with N steps visits. Lin et al. 2024, arXiv:2305.08891, table 2. Numbers
 * are rounded half to even. Results are in descending order.
 */
public enum TimestepSpacing {
  /** Multiples of T / N from 0, shifted by steps_offset; never reaches T - 1. */
  @JsonProperty("leading") LEADING {
    @Override double[] exact(int trainTimesteps, int steps, int offset) {
      return multiples(trainTimesteps / steps, steps, 0, offset);
    }

    @Override double[] exactAboveZero(int trainTimesteps, int steps, int offset) {
      return multiples(trainTimesteps / (steps + 1), steps, 1, offset);
    }
  },

  /** Multiples of T / N down from T, less 1; begins at T - 1. */
  @JsonProperty("trailing") TRAILING {
    @Override double[] exact(int trainTimesteps, int steps, int offset) {
      double[] timesteps = new double[steps];
      double stride = (double) trainTimesteps / steps;
      for (int i = 0; i < steps; i++) {
        timesteps[i] = Math.rint(trainTimesteps - i * stride) - 1;
      }
      return timesteps;
    }

    @Override double[] exactAboveZero(int trainTimesteps, int steps, int offset) {
      return exact(trainTimesteps, steps, offset);
    }
  },

  /** Evenly spaced from T - 1 to 0, both among them. */
  @JsonProperty("linspace") LINSPACE {
    @Override double[] exact(int trainTimesteps, int steps, int offset) {
      return downFromEnd(trainTimesteps, steps, steps);
    }

    @Override double[] exactAboveZero(int trainTimesteps, int steps, int offset) {
      return downFromEnd(trainTimesteps, steps, steps + 1);
    }
  };

  /** Timesteps for DDPM, DDIM and PNDM. */
  int[] timesteps(int trainTimesteps, int steps, int offset) {
    return rounded(fractional(trainTimesteps, steps, offset));
  }

  /** Timesteps for the Euler samplers, which take fractions between training timesteps. */
  double[] fractional(int trainTimesteps, int steps, int offset) {
    checkSteps(trainTimesteps, steps);
    return checkRange(exact(trainTimesteps, steps, offset), trainTimesteps);
  }

  /** Timesteps for DPM-Solver++, which leaves the last stretch to its final step and stays clear of 0. */
  int[] timestepsAboveZero(int trainTimesteps, int steps, int offset) {
    checkSteps(trainTimesteps, steps + (this == TRAILING ? 0 : 1));
    return rounded(checkRange(exactAboveZero(trainTimesteps, steps, offset), trainTimesteps));
  }

  abstract double[] exact(int trainTimesteps, int steps, int offset);

  abstract double[] exactAboveZero(int trainTimesteps, int steps, int offset);

  static int[] rounded(double[] timesteps) {
    int[] rounded = new int[timesteps.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (int) Math.rint(timesteps[i]);
    }
    return rounded;
  }

  private static double[] multiples(int stride, int steps, int lowest, int offset) {
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      timesteps[i] = (lowest + steps - 1 - i) * stride + offset;
    }
    return timesteps;
  }

  /** The first {@code steps} of {@code points} evenly spaced numbers from T - 1 down to 0. */
  private static double[] downFromEnd(int trainTimesteps, int steps, int points) {
    double stride = (trainTimesteps - 1.0) / Math.max(1, points - 1);
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      timesteps[i] = Math.min(trainTimesteps - 1, (points - 1 - i) * stride);
    }
    return timesteps;
  }

  private static void checkSteps(int trainTimesteps, int needed) {
    if (needed < 1 || needed > trainTimesteps) {
      throw new IllegalArgumentException(
          "the sampler needs from 1 to " + trainTimesteps + " distinct timesteps, asked for " + needed);
    }
  }

  private static double[] checkRange(double[] timesteps, int trainTimesteps) {
    if (timesteps[0] > trainTimesteps - 1) {
      throw new IllegalArgumentException(timesteps.length + " steps with this steps_offset begin at timestep "
          + (int) timesteps[0] + " of 0 .. " + (trainTimesteps - 1));
    }
    return timesteps;
  }
}
