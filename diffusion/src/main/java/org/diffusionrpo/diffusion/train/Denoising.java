package org.diffusionrpo.diffusion.train;

import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Noised latents with what the network should answer. Everything that is trained here, and everything that a
 * preference is measured by, is the per-sample error {@code e = mean over (H, W, C) of (prediction - target)^2}.
 * Ho et al. 2020, arXiv:2006.11239, equation 14.
 *
 * @param noisy x_t [N, H, W, C]
 * @param timesteps t of each sample
 * @param target [N, H, W, C], the noise for an epsilon model
 * @param conditions text and, for SDXL, size of each sample
 */
public record Denoising(Tensor noisy, float[] timesteps, Tensor target, Conditions conditions) {
  /** Turns the errors of a batch into the derivative of the loss with respect to each. */
  @FunctionalInterface
  public interface Weights {
    float[] of(double[] errors);
  }

  /** Errors of each sample, without a tape. */
  public double[] errors(UNet2DConditionModel unet) {
    try (MemoryScope scope = noisy.backend().scope()) {
      return errors(predict(unet, Tape.NONE));
    }
  }

  /** Adds the gradient of sum_n weight_n e_n to the network's parameters and returns the errors. */
  public double[] accumulate(UNet2DConditionModel unet, Weights weights) {
    Backend backend = noisy.backend();
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      Tensor prediction = predict(unet, tape);
      double[] errors = errors(prediction);
      Tensor dPrediction = backend.empty(prediction.shape());
      backend.squaredErrorBackward(dPrediction, prediction, target, weights.of(errors));
      unet.backward(dPrediction, null, tape);
      return errors;
    }
  }

  private Tensor predict(UNet2DConditionModel unet, Tape tape) {
    return unet.forward(noisy, timesteps, conditions.context(), conditions.added(), tape);
  }

  private double[] errors(Tensor prediction) {
    double[] errors = new double[timesteps.length];
    prediction.backend().squaredErrorPerSample(errors, prediction, target);
    return errors;
  }
}
