package org.diffusionrpo.diffusion.schedule;

/**
 * The forward process {@code x_t = sqrt(abar_t) * x_0 + sqrt(1 - abar_t) * eps}, eps ~ N(0, 1), t = 0 .. T - 1, with
 * {@code abar_t = prod_(s <= t) (1 - beta_s)}. Ho et al. 2020, arXiv:2006.11239, equation 4. Coefficients are doubles.
 */
public final class NoiseSchedule {
  private final double[] alphasCumprod;

  private NoiseSchedule(double[] alphasCumprod) {
    this.alphasCumprod = alphasCumprod;
  }

  /** The schedule that a scheduler_config.json describes. */
  public static NoiseSchedule of(SchedulerConfig config) {
    double[] betas = config.trainedBetas() != null
        ? config.trainedBetas().stream().mapToDouble(Double::doubleValue).toArray()
        : config.betaSchedule().betas(config.numTrainTimesteps(), config.betaStart(), config.betaEnd());
    double[] alphasCumprod = new double[betas.length];
    double product = 1;
    for (int t = 0; t < betas.length; t++) {
      product *= 1 - betas[t];
      alphasCumprod[t] = product;
    }
    NoiseSchedule schedule = new NoiseSchedule(alphasCumprod);
    return config.rescaleBetasZeroSnr() ? schedule.zeroTerminalSnr() : schedule;
  }

  /**
   * This schedule rescaled so that x_(T-1) is pure noise. Lin et al. 2024, arXiv:2305.08891, algorithm 1: with
   * {@code r = sqrt(abar)}, {@code r'_t = (r_t - r_(T-1)) * r_0 / (r_0 - r_(T-1))}.
   */
  public NoiseSchedule zeroTerminalSnr() {
    double first = Math.sqrt(alphasCumprod[0]);
    double last = Math.sqrt(alphasCumprod[alphasCumprod.length - 1]);
    double[] rescaled = new double[alphasCumprod.length];
    for (int t = 0; t < rescaled.length; t++) {
      double root = (Math.sqrt(alphasCumprod[t]) - last) * first / (first - last);
      rescaled[t] = root * root;
    }
    return new NoiseSchedule(rescaled);
  }

  /** T. */
  public int trainTimesteps() {
    return alphasCumprod.length;
  }

  /** abar_t, the share of the signal in the variance of x_t. */
  public double alphaCumprod(int t) {
    return alphasCumprod[t];
  }

  /** Variance of the noise that step t - 1 to t adds. */
  public double beta(int t) {
    return t == 0 ? 1 - alphasCumprod[0] : 1 - alphasCumprod[t] / alphasCumprod[t - 1];
  }

  /** Noise to signal ratio {@code sqrt((1 - abar_t) / abar_t)}: sigma of Karras et al. 2022, arXiv:2206.00364. */
  public double sigma(int t) {
    return Math.sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
  }

  /** Signal to noise ratio {@code abar_t / (1 - abar_t)}. */
  public double snr(int t) {
    return alphasCumprod[t] / (1 - alphasCumprod[t]);
  }

  /**
   * Noises N samples, each to its own timestep: {@code xt[n] = sqrt(abar) * x0[n] + sqrt(1 - abar) * noise[n]}.
   *
   * @param xt [N, ...], may be one of the inputs
   * @param timesteps [N], each 0 .. T - 1
   */
  public void addNoise(float[] xt, float[] x0, float[] noise, int[] timesteps) {
    checkSizes("addNoise", xt, x0, noise, timesteps);
    int columns = x0.length / timesteps.length;
    for (int n = 0; n < timesteps.length; n++) {
      double alphaCumprod = at(timesteps[n]);
      combine(xt, Math.sqrt(alphaCumprod), x0, Math.sqrt(1 - alphaCumprod), noise, n * columns, (n + 1) * columns);
    }
  }

  /**
   * What the network should answer at {@code addNoise(x0, noise, timesteps)}: the noise, the velocity
   * {@code sqrt(abar) * noise - sqrt(1 - abar) * x0} or x0.
   *
   * @param target [N, ...], may be one of the inputs
   * @param timesteps [N], each 0 .. T - 1
   */
  public void trainingTarget(float[] target, PredictionType prediction, float[] x0, float[] noise, int[] timesteps) {
    checkSizes("trainingTarget", target, x0, noise, timesteps);
    int columns = x0.length / timesteps.length;
    for (int n = 0; n < timesteps.length; n++) {
      double alphaCumprod = at(timesteps[n]);
      int from = n * columns;
      switch (prediction) {
        case EPSILON -> System.arraycopy(noise, from, target, from, columns);
        case SAMPLE -> System.arraycopy(x0, from, target, from, columns);
        case V_PREDICTION -> combine(target, -Math.sqrt(1 - alphaCumprod), x0, Math.sqrt(alphaCumprod), noise, from,
            from + columns);
      }
    }
  }

  private double at(int timestep) {
    if (timestep < 0 || timestep >= alphasCumprod.length) {
      throw new IllegalArgumentException("timestep " + timestep + " is not one of 0 .. " + (alphasCumprod.length - 1));
    }
    return alphasCumprod[timestep];
  }

  private static void combine(float[] out, double a, float[] x, double b, float[] y, int from, int to) {
    for (int i = from; i < to; i++) {
      out[i] = (float) (a * x[i] + b * y[i]);
    }
  }

  private static void checkSizes(String op, float[] out, float[] x0, float[] noise, int[] timesteps) {
    boolean equal = out.length == x0.length && noise.length == x0.length;
    if (!equal || timesteps.length == 0 || x0.length % timesteps.length != 0) {
      throw new IllegalArgumentException(op + ": " + timesteps.length + " timesteps, x0 of " + x0.length
          + ", noise of " + noise.length + " and result of " + out.length + " numbers do not fit together");
    }
  }
}
