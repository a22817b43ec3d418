package org.diffusionrpo.diffusion.schedule;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * Pseudo linear multi-step sampling (PNDM without Runge-Kutta start, "PLMS"). Liu et al. 2022, arXiv:2202.09778:
 * Adams-Bashforth of up to order 4 on the network's outputs (equation 12), then the transfer that DDIM uses
 * (equation 11), from a = abar_from to b = abar_to:
 * <pre>
 *   x' = sqrt(b / a) * x - (b - a) * eps / (a * sqrt(1 - b) + sqrt(a * (1 - a) * b))
 * </pre>
 * The first step is taken twice, the second time with the mean of the outputs at its two ends: N steps are N + 1
 * network calls.
 */
public final class PndmSampler extends VarianceScale {
  /** Adams-Bashforth weights by number of outputs, the newest output first. */
  private static final double[][] WEIGHTS = {
      {1},
      {3 / 2.0, -1 / 2.0},
      {23 / 12.0, -16 / 12.0, 5 / 12.0},
      {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};

  private final NoiseSchedule schedule;
  private final PredictionType prediction;
  private final int stride;
  private final double finalAlphaCumprod;

  /** Outputs of earlier calls, the newest first. */
  private final Deque<float[]> history = new ArrayDeque<>();
  private float[] firstSample;

  public PndmSampler(SchedulerConfig config, int steps) {
    super(secondTwice(config.spacingOr(TimestepSpacing.LEADING)
        .timesteps(config.numTrainTimesteps(), steps, config.stepsOffset())));
    if (config.predictionType() == PredictionType.SAMPLE) {
      throw new IllegalArgumentException("PNDM takes prediction_type epsilon or v_prediction, got sample");
    }
    schedule = NoiseSchedule.of(config);
    prediction = config.predictionType();
    stride = config.numTrainTimesteps() / steps;
    finalAlphaCumprod = config.setAlphaToOneOr(false) ? 1 : schedule.alphaCumprod(0);
    if (schedule.alphaCumprod(timesteps[0]) == 0) {
      throw new IllegalArgumentException("PNDM cannot begin at pure noise (rescale_betas_zero_snr)");
    }
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    if (call == 1) {
      double[] mean = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        mean[i] = (output[i] + (double) history.getFirst()[i]) / 2;
      }
      transfer(x, firstSample, mean, timesteps[1] + stride, timesteps[1]);
      return;
    }
    if (call == 0) {
      history.clear();
      firstSample = x.clone();
    }
    history.addFirst(output.clone());
    if (history.size() > WEIGHTS.length) {
      history.removeLast();
    }
    transfer(x, x, extrapolated(), timesteps[call], timesteps[call] - stride);
  }

  private double[] extrapolated() {
    double[] weights = WEIGHTS[history.size() - 1];
    double[] sum = new double[history.getFirst().length];
    int age = 0;
    for (float[] output : history) {
      double weight = weights[age++];
      for (int i = 0; i < sum.length; i++) {
        sum[i] += weight * output[i];
      }
    }
    return sum;
  }

  private void transfer(float[] x, float[] sample, double[] output, int fromTimestep, int toTimestep) {
    double a = schedule.alphaCumprod(fromTimestep);
    double b = toTimestep >= 0 ? schedule.alphaCumprod(toTimestep) : finalAlphaCumprod;
    Combination epsilon = prediction.noise(Math.sqrt(a), Math.sqrt(1 - a));
    double ofSample = Math.sqrt(b / a);
    double ofNoise = (b - a) / (a * Math.sqrt(1 - b) + Math.sqrt(a * (1 - a) * b));
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (ofSample * sample[i] - ofNoise * epsilon.of(sample[i], output[i]));
    }
  }

  private static int[] secondTwice(int[] descending) {
    if (descending.length == 1) {
      return descending;
    }
    int[] timesteps = Arrays.copyOf(descending, descending.length + 1);
    System.arraycopy(descending, 1, timesteps, 2, descending.length - 1);
    return timesteps;
  }
}
