package org.diffusionrpo.diffusion.pipeline;

import java.util.Arrays;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TimeFeatures;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Replay;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * The UNet's forward pass on one batch, which a sampler repeats at each of its steps. Its tensors belong to the scope in
 * which it was made.
 */
final class NoisePredictor implements AutoCloseable {
  private final UNet2DConditionModel unet;
  private final Tensor x;
  private final TimeFeatures features;
  private final Tensor y;
  private final float[] inputs;
  private final float[] timesteps;
  private final Replay forward;

  /** @param latents [H, W, Z] of one picture */
  NoisePredictor(Backend backend, UNet2DConditionModel unet, Shape latents, Conditions conditions) {
    int samples = conditions.context().dim(0);
    this.unet = unet;
    this.x = backend.empty(Shape.of(samples, latents.dim(0), latents.dim(1), latents.dim(2)));
    this.y = backend.empty(x.shape());
    this.inputs = new float[x.size()];
    this.timesteps = new float[samples];
    this.features = unet.timeFeatures(backend, timesteps, conditions.added());
    this.forward = backend.record(
        () -> backend.copy(y, unet.forward(x, features, conditions.context(), Tape.NONE)));
  }

  /** The answers for the latents, as often as the conditions repeat the pictures: without and with the prompt. */
  float[] predict(float[] latents, float timestep) {
    for (int at = 0; at < inputs.length; at += latents.length) {
      System.arraycopy(latents, 0, inputs, at, latents.length);
    }
    Arrays.fill(timesteps, timestep);
    x.backend().write(x, inputs);
    unet.setTimesteps(features, timesteps);
    forward.run();
    return y.toArray();
  }

  @Override
  public void close() {
    forward.close();
  }
}
