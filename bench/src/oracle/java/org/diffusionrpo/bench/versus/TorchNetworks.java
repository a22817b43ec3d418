package org.diffusionrpo.bench.versus;

import java.util.Arrays;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.diffusionrpo.diffusion.unet.UNetConfig;

/** Stable Diffusion's UNet as a script of PyTorch would run it. */
final class TorchNetworks {
  private TorchNetworks() {}

  static Runnable unet(Row.UNet row) {
    UNetConfig config = Networks.stableDiffusion15();
    TorchUNet unet = new TorchUNet(config);
    Tensor x = torch.randn(row.samples(), config.inChannels(), row.side(), row.side());
    Tensor context = torch.randn(row.samples(), Row.UNet.TOKENS, config.crossAttentionDim());
    float[] timesteps = new float[row.samples()];
    Arrays.fill(timesteps, Networks.TIMESTEP);
    if (!row.backward()) {
      return () -> {
        try (AutoGradMode off = new AutoGradMode(false)) {
          unet.forward(x, timesteps, context).close();
        }
      };
    }
    unet.requireGrad();
    Tensor dy = torch.randn(row.samples(), config.outChannels(), row.side(), row.side());
    return () -> {
      Tensor y = unet.forward(x, timesteps, context);
      TorchOps.gradients(y, dy, false, unet.parameters()).close();
      y.close();
    };
  }
}
