package org.diffusionrpo.bench.versus;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.rpo.loss.PairFeatures;

/**
 * The update of {@code org.diffusionrpo.rpo.train.PreferenceObjective} with Diffusion-RPO, weights inside the logits, in
 * libtorch's operations, autograd and AdamW. First all winners, then all losers.
 */
final class TorchRpoStep implements Runnable {
  /** Signal and noise at the one timestep, about as in the middle of the schedule. */
  private static final double SIGNAL = 0.5;
  private static final double NOISE = Math.sqrt(1 - SIGNAL * SIGNAL);

  private final int pairs;
  private final TorchUNet policy;
  private final TorchUNet reference;
  private final Tensor latents;
  private final Tensor context;
  private final Tensor omega;
  private final float[] timesteps;
  private final TensorVector parameters;
  private final AdamW optimizer;

  TorchRpoStep(int pairs) {
    UNetConfig config = Networks.bundled();
    int side = config.sampleSize();
    this.pairs = pairs;
    this.policy = new TorchUNet(config);
    this.reference = new TorchUNet(config);
    reference.copyFrom(policy);
    policy.requireGrad();
    this.latents = torch.randn(2L * pairs, config.inChannels(), side, side);
    this.context = torch.randn(2L * pairs, Networks.bundledTokens(), config.crossAttentionDim());
    this.omega = omega(pairs);
    this.timesteps = new float[2 * pairs];
    Arrays.fill(timesteps, Networks.TIMESTEP);
    this.parameters = new TensorVector(policy.parameters());
    this.optimizer = new AdamW(parameters, new AdamWOptions(Networks.LEARNING_RATE));
  }

  private static Tensor omega(int pairs) {
    double[][] winners = Networks.embeddings("winner image", pairs).toArray(double[][]::new);
    double[][] losers = Networks.embeddings("loser image", pairs).toArray(double[][]::new);
    double[][] prompts = Networks.embeddings("prompt", pairs).toArray(double[][]::new);
    double[][] rows = Networks.rpoLoss().weights().omega(PairFeatures.ofPairs(winners, losers, prompts), pairs, pairs);
    float[] flat = new float[pairs * pairs];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) rows[i / pairs][i % pairs];
    }
    return Tensor.create(flat, pairs, pairs);
  }

  @Override
  public void run() {
    optimizer.zero_grad();
    try (PointerScope scope = new PointerScope()) { // small tensors but for the two UNets, which close their own
      Tensor half = torch.randn(pairs, latents.size(1), latents.size(2), latents.size(3));
      Tensor noise = torch.cat(new TensorVector(half, half), 0);
      Tensor noisy = latents.mul(new Scalar(SIGNAL)).add(noise.mul(new Scalar(NOISE)));
      Tensor expected;
      try (AutoGradMode off = new AutoGradMode(false)) {
        expected = errors(reference, noisy, noise);
      }
      Tensor delta = errors(policy, noisy, noise).sub(expected);
      Tensor winners = delta.narrow(0, 0, pairs).unsqueeze(1);
      Tensor losers = delta.narrow(0, pairs, pairs).unsqueeze(0);
      Tensor logits = winners.sub(losers).mul(new Scalar(-Networks.BETA / 2)).mul(omega);
      torch.log_sigmoid(logits).mean().neg().backward();
    }
    torch.clip_grad_norm_(parameters, Networks.MAX_GRAD_NORM);
    optimizer.step();
  }

  /** [2 pairs]: the mean over each sample of the squared error. */
  private Tensor errors(TorchUNet unet, Tensor noisy, Tensor noise) {
    return unet.forward(noisy, timesteps, context).sub(noise).square().mean(1, 2, 3);
  }
}
