package org.diffusionrpo.bench.oracle;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Holds {@link TorchVae} to numbers that diffusers' own AutoencoderKL gave for weights and inputs by the same rule. */
final class VaeReference {
  private static final VaeSettings SETTINGS = new VaeSettings(List.of(16, 32, 32), 2, 8);
  /** The numbers have eight digits. */
  private static final double TOLERANCE = 1e-6;

  private VaeReference() {}

  /** Throws {@link IllegalStateException} if a number differs. */
  static void check() {
    Tensors.scoped(() -> {
      Reference reference = new Reference("VAE", TOLERANCE);
      Tensor x = VaeGoldens.input(VaeGoldens.SAMPLE_START, 1, TorchVae.PICTURE_CHANNELS, 16, 16);
      LeafWeights weights = VaeGoldens.weights(
          SETTINGS, x, VaeGoldens.input(0, 1, TorchVae.LATENT_CHANNELS, 4, 4));
      TorchVae vae = new TorchVae(SETTINGS, weights);
      Tensor moments = vae.encode(x);
      Tensor decoded = vae.decode(moments.narrow(1, 0, TorchVae.LATENT_CHANNELS));
      Tensor loss = decoded.sub(x.detach()).square().mean();
      loss.backward();
      reference.require("tensors", 200, weights.all().size());
      reference.require("squares of the moments", 38.971428, Tensors.squares(moments));
      reference.require("squares of the decoded picture", 216.99324, Tensors.squares(decoded));
      reference.require("loss", 0.6290573929, loss.item_double());
      reference.require("squares of the gradient of the pixels", 0.024669277, Tensors.squares(x.grad()));
      gradient(reference, weights, "encoder.conv_in.weight", 0.22886482);
      gradient(reference, weights, "encoder.down_blocks.0.downsamplers.0.conv.weight", 0.87318257);
      gradient(reference, weights, "encoder.mid_block.attentions.0.to_q.weight", 0.005674698);
      gradient(reference, weights, "decoder.mid_block.attentions.0.to_out.0.bias", 0.0072648969);
      gradient(reference, weights, "decoder.up_blocks.2.resnets.0.conv_shortcut.weight", 0.24266988);
      Tensor odd = VaeGoldens.input(VaeGoldens.SAMPLE_START, 1, TorchVae.PICTURE_CHANNELS, 15, 18);
      reference.require("squares of the moments of 15x18", 28.317644, Tensors.squares(vae.encode(odd)));
    });
  }

  private static void gradient(Reference reference, LeafWeights weights, String name, double squares) {
    reference.require("squares of the gradient of " + name, squares, Tensors.squares(weights.all().get(name).grad()));
  }
}
