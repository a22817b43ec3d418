package org.diffusionrpo.bench.model;

import java.io.IOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.SingleFile;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Writes a model folder of Stable Diffusion 1.5's exact size with random weights (2 GB), to try what full size takes.
 * It draws noise. The tokenizer is the bundled model's, which has fewer words.
 */
public final class RandomStableDiffusion {
  private static final long SEED = 1;

  private RandomStableDiffusion() {}

  /** @param args the folder to write */
  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("expected one argument, the folder to write");
      System.exit(2);
    }
    Path folder = Path.of(args[0]);
    ModelFolder.requireWritable(folder);
    try (Backend backend = Backends.open("cpu"); StableDiffusion model = make(backend)) {
      model.save(folder, DType.F16);
    }
    System.out.println(folder);
  }

  private static StableDiffusion make(Backend backend) throws IOException {
    ModelConfig unetConfig = SingleFile.published("sd15", "unet/config.json");
    ModelConfig vaeConfig = SingleFile.published("sd15", "vae/config.json");
    ModelConfig textConfig = SingleFile.published("sd15", "text_encoder/config.json");
    ModelConfig scheduler = SingleFile.published("sd15", "scheduler/scheduler_config.json");
    UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(unetConfig));
    AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(vaeConfig));
    ClipTextEncoder text = new ClipTextEncoder(ClipTextConfig.from(textConfig));
    for (Parameters parameters : new Parameters[] {unet.parameters(), vae.parameters(), text.parameters()}) {
      parameters.initialize(backend, SEED);
    }
    ClipTokenizer tokenizer =
        ClipTokenizer.load(Bundled.require(Bundled.model()).resolve(ModelFolder.TOKENIZER));
    return new StableDiffusion(SingleFile.published("sd15", "model_index.json"), new Component<>(unet, unetConfig),
        new Component<>(vae, vaeConfig), new Component<>(text, textConfig), tokenizer,
        new Component<>(SchedulerConfig.parse(scheduler.source(), scheduler.json().toString()), scheduler), null);
  }
}
