package org.diffusionrpo.diffusion.schedule;

import java.util.Arrays;

/**
 * Noise levels of a run in the scale of Karras et al. 2022, arXiv:2206.00364, where x = x0 + sigma * eps.
 *
 * @param timesteps [N], what the network is told, descending
 * @param sigmas [N + 1], descending, the last one 0
 */
record SigmaGrid(double[] timesteps, double[] sigmas) {
  /** abar in place of 0 at the end of a zero-terminal-SNR schedule, so that sigma stays finite. */
  private static final double MIN_ALPHA_CUMPROD = 0x1p-24;
  /** rho of Karras et al., section 3.1. */
  private static final double KARRAS_RHO = 7;

  /** The sigmas of the given timesteps, between training timesteps by linear interpolation. */
  static SigmaGrid at(NoiseSchedule schedule, double[] timesteps) {
    double[] train = trainSigmas(schedule);
    double[] sigmas = new double[timesteps.length + 1];
    for (int i = 0; i < timesteps.length; i++) {
      int below = Math.min((int) timesteps[i], train.length - 2);
      sigmas[i] = train[below] + (timesteps[i] - below) * (train[below + 1] - train[below]);
    }
    return new SigmaGrid(timesteps, sigmas);
  }

  /** As many sigmas over the same range, spaced by equation 5 of Karras et al. */
  SigmaGrid karras(NoiseSchedule schedule) {
    return karras(schedule, timesteps.length, sigmas[0], sigmas[timesteps.length - 1]);
  }

  /** N sigmas over the schedule's whole range, spaced by equation 5 of Karras et al.; timesteps are rounded. */
  static SigmaGrid karrasOverAll(NoiseSchedule schedule, int steps) {
    double[] train = trainSigmas(schedule);
    SigmaGrid grid = karras(schedule, steps, train[train.length - 1], train[0]);
    return new SigmaGrid(Arrays.stream(grid.timesteps).map(Math::rint).toArray(), grid.sigmas);
  }

  private static SigmaGrid karras(NoiseSchedule schedule, int steps, double max, double min) {
    double[] logs = Arrays.stream(trainSigmas(schedule)).map(Math::log).toArray();
    double high = Math.pow(max, 1 / KARRAS_RHO);
    double low = Math.pow(min, 1 / KARRAS_RHO);
    double[] timesteps = new double[steps];
    double[] sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      double ramp = i / Math.max(1.0, steps - 1);
      sigmas[i] = Math.pow(high + ramp * (low - high), KARRAS_RHO);
      timesteps[i] = position(logs, Math.log(sigmas[i]));
    }
    return new SigmaGrid(timesteps, sigmas);
  }

  /** Where in an ascending table a value lies, in (fractional) indices; its ends beyond them. */
  private static double position(double[] ascending, double value) {
    int found = Arrays.binarySearch(ascending, value);
    int above = found >= 0 ? found : -found - 1;
    if (above == 0 || above == ascending.length) {
      return above == 0 ? 0 : ascending.length - 1;
    }
    return above - (ascending[above] - value) / (ascending[above] - ascending[above - 1]);
  }

  private static double[] trainSigmas(NoiseSchedule schedule) {
    double[] sigmas = new double[schedule.trainTimesteps()];
    for (int t = 0; t < sigmas.length; t++) {
      double alphaCumprod = Math.max(MIN_ALPHA_CUMPROD, schedule.alphaCumprod(t));
      sigmas[t] = Math.sqrt((1 - alphaCumprod) / alphaCumprod);
    }
    return sigmas;
  }
}
