package org.diffusionrpo.rpo.pretrain;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.WeightFiles;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.diffusion.train.VaeObjective;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.AtomicFiles;
import org.diffusionrpo.tensor.io.DType;

/** Trains the bundled autoencoder and measures the scaling factor of its latents. */
public final class VaePretraining {
  private VaePretraining() {}

  /** Writes {@code vae/} into the model folder when all updates are done; false when cancelled before. */
  public static boolean run(Backend backend, PretrainOptions options, double klWeight, TrainListener listener)
      throws IOException {
    ModelConfig config = Resources.config("vae.json");
    List<RgbImage> images = Resources.decode(StyledImages.load(options.data()).of(Split.TRAIN));
    try (AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(config))) {
      vae.parameters().initialize(backend, options.seed());
      VaeObjective objective = new VaeObjective(backend, vae, images, options.batch(), klWeight, options.seed());
      if (!StageRun.run(vae.parameters(), objective, options, Map.of("kl", klWeight), listener)) {
        return false;
      }
      ObjectNode json = config.json().put("scaling_factor", scalingFactor(backend, vae, images));
      Path folder = Files.createDirectories(options.model().resolve("vae"));
      WeightFiles.save(vae.parameters(), folder.resolve("diffusion_pytorch_model.safetensors"), DType.F16);
      AtomicFiles.write(folder.resolve("config.json"), json.toPrettyString() + "\n");
      return true;
    }
  }

  /** One over the standard deviation of all latent means, so that the UNet sees unit variance. */
  private static float scalingFactor(Backend backend, AutoencoderKL vae, List<RgbImage> images) {
    int channels = vae.config().latentChannels();
    double sum = 0;
    double squares = 0;
    long count = 0;
    for (float[] moments : new LatentEncoder(backend, vae).moments(images)) {
      for (int i = 0; i < moments.length; i++) {
        if (i % (2 * channels) < channels) {
          sum += moments[i];
          squares += (double) moments[i] * moments[i];
          count++;
        }
      }
    }
    double mean = sum / count;
    return (float) (1 / Math.sqrt(squares / count - mean * mean));
  }
}
