package org.diffusionrpo.diffusion.schedule;

/** What the samplers have in common that keep x in the scale of the forward process. */
abstract class VarianceScale extends CheckedSampler {
  final int[] timesteps;

  VarianceScale(int[] timesteps) {
    this.timesteps = timesteps;
  }

  @Override public final int calls() {
    return timesteps.length;
  }

  @Override public final double timestep(int call) {
    return timesteps[call];
  }

  @Override public final double initNoiseSigma() {
    return 1;
  }

  @Override public final void scaleInput(float[] in, float[] x, int call) {
    System.arraycopy(x, 0, in, 0, x.length);
  }

  static double clamp(double x) {
    return Math.max(-1, Math.min(1, x));
  }

  /** At pure noise an epsilon says nothing about x0. */
  static void checkSignal(NoiseSchedule schedule, int[] timesteps, PredictionType prediction, String sampler) {
    if (prediction == PredictionType.EPSILON && schedule.alphaCumprod(timesteps[0]) == 0) {
      throw new IllegalArgumentException(sampler + " begins at pure noise (zero terminal SNR), where prediction_type "
          + "epsilon has no answer: expected v_prediction or sample");
    }
  }
}
