package org.diffusionrpo.rpo.eval;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.ImageRequest;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.pipeline.SamplingSettings;
import org.diffusionrpo.diffusion.pipeline.StableDiffusionPipeline;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.tensor.Backend;

/** Draws the pictures that models are measured with: picture i of a seed starts from the same noise in every model. */
public final class Drawing {
  private Drawing() {}

  /** The sampler of all measurements, DPM-Solver++(2M). */
  public static SamplingSettings sampling(int steps, double guidance) {
    return new SamplingSettings(SamplerKind.named("dpm++2m"), steps, guidance);
  }

  /** The captions of one split in file order, each once. */
  public static List<String> captions(StyledImages styled, Split split) {
    return styled.of(split).stream().map(StyledImage::caption).distinct().toList();
  }

  /** The prompts over and over until there are {@code count}: each time with other noise. */
  public static List<String> repeat(List<String> prompts, int count) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < count && !prompts.isEmpty(); i++) {
      all.add(prompts.get(i % prompts.size()));
    }
    return all;
  }

  /** One picture for each prompt; fewer when the listener cancelled. */
  public static List<RgbImage> draw(Backend backend, StableDiffusion model, List<String> prompts, long seed,
      SamplingSettings sampling, ProgressListener listener) {
    if (prompts.isEmpty()) {
      return List.of();
    }
    List<ImageRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      requests.add(new ImageRequest(prompts.get(i), "", seed, i));
    }
    return new StableDiffusionPipeline(backend, model).generate(requests, sampling, listener);
  }
}
