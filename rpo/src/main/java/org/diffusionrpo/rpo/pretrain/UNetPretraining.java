package org.diffusionrpo.rpo.pretrain;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.ComponentFolder;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.train.LatentSet;
import org.diffusionrpo.diffusion.train.NoiseObjective;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.rpo.align.RunManifest;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;

/** Trains the bundled UNet on the latents of all styles and puts the whole model together. */
public final class UNetPretraining {
  private UNetPretraining() {}

  /**
   * What only the training of a UNet knows.
   *
   * @param init a model folder whose UNet the training starts from; null for random weights
   * @param captionDropout share of pictures that see the empty prompt
   * @param snrGamma gamma of the Min-SNR weighting; infinite for none
   */
  public record Recipe(Path init, double captionDropout, double snrGamma) {
    private Map<String, ?> particulars(Path parts) throws IOException {
      Map<String, Object> all = new TreeMap<>();
      all.put("init", init == null ? "random" : RunManifest.hash(init.resolve(ModelFolder.UNET)));
      all.put("caption_dropout", captionDropout);
      all.put("snr_gamma", snrGamma);
      for (String part : List.of(ModelFolder.VAE, ModelFolder.TEXT_ENCODER, ModelFolder.TOKENIZER)) {
        all.put(part, RunManifest.hash(parts.resolve(part)));
      }
      return all;
    }
  }

  /**
   * Reads {@code vae/}, {@code text_encoder/}, {@code tokenizer/} and {@code clip/} from the options' model folder.
   *
   * @param out the finished model, in the layout of diffusers
   * @return false when cancelled before the end; nothing is written to {@code out} then
   */
  public static boolean run(Backend backend, PretrainOptions options, Recipe recipe, Path out, TrainListener listener)
      throws IOException {
    Path parts = options.model();
    ClipTokenizer tokenizer = ClipTokenizer.load(parts.resolve(ModelFolder.TOKENIZER));
    Component<AutoencoderKL> vae = ComponentFolder.diffusers(parts.resolve(ModelFolder.VAE), "AutoencoderKL", null)
        .load(config -> new AutoencoderKL(VaeConfig.from(config)), AutoencoderKL::parameters, backend, Storage.F32);
    Component<ClipTextEncoder> text =
        ComponentFolder.transformers(parts.resolve(ModelFolder.TEXT_ENCODER), "CLIPTextModel", null)
            .load(config -> new ClipTextEncoder(ClipTextConfig.from(config)), ClipTextEncoder::parameters, backend,
                Storage.F32);
    Component<UNet2DConditionModel> unet = start(backend, recipe.init(), options.seed());
    SchedulerConfig scheduler = SchedulerConfig.stableDiffusion();
    try (StableDiffusion model = new StableDiffusion(StableDiffusion.newIndex(), unet, vae, text,
        tokenizer, StableDiffusion.newScheduler(scheduler), parts.resolve(ModelFolder.CLIP))) {
      List<StyledImage> images = StyledImages.load(options.data()).of(Split.TRAIN);
      LatentSet latents = LatentSet.encode(new LatentEncoder(backend, vae.value()), model.promptEncoder(backend),
          Resources.decode(images), images.stream().map(StyledImage::caption).toList());
      NoiseObjective objective = new NoiseObjective(backend, unet.value(), vae.value(), latents,
          NoiseSchedule.of(scheduler), new NoiseObjective.Options(options.batch(), options.batch(),
              recipe.captionDropout(), recipe.snrGamma(), options.seed()));
      if (!StageRun.run(unet.value().parameters(), objective, options, recipe.particulars(parts), listener)) {
        return false;
      }
      model.save(out, DType.F16);
      return true;
    }
  }

  private static Component<UNet2DConditionModel> start(Backend backend, Path init, long seed) throws IOException {
    if (init != null) {
      return ComponentFolder.diffusers(init.resolve(ModelFolder.UNET), "UNet2DConditionModel", null)
          .load(config -> new UNet2DConditionModel(UNetConfig.from(config)), UNet2DConditionModel::parameters, backend,
              Storage.F32);
    }
    ModelConfig config = Resources.config("unet.json");
    UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(config));
    unet.parameters().initialize(backend, seed);
    return new Component<>(unet, config);
  }
}
