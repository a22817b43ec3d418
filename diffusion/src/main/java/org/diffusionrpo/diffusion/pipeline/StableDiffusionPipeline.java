package org.diffusionrpo.diffusion.pipeline;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.diffusionrpo.diffusion.clip.PromptEncoder;
import org.diffusionrpo.diffusion.image.Pixels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.schedule.Guidance;
import org.diffusionrpo.diffusion.schedule.NoiseSource;
import org.diffusionrpo.diffusion.schedule.Sampler;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.train.DivergedException;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.nn.Tape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From prompts to pictures. Rombach et al. 2022, arXiv:2112.10752, with classifier-free guidance, Ho and Salimans 2022,
 * arXiv:2207.12598.
 * <pre>
 *   prompts -> conditions: context [N, L, X], for SDXL pooled embedding and time ids too
 *   noise [N, h, w, Z] -> sampler x UNet -> latents -> VAE decoder -> pictures
 * </pre>
 * It borrows the networks and closes none of them.
 */
public final class StableDiffusionPipeline {
  private static final Logger LOG = LoggerFactory.getLogger(StableDiffusionPipeline.class);

  /** Latent positions that one batch may have: 64 pictures of 16 x 16 latents, 4 of 64 x 64. */
  private static final int POSITIONS_AT_ONCE = 16_384;

  private final Backend backend;
  private final UNet2DConditionModel unet;
  private final AutoencoderKL vae;
  private final PromptEncoder encoder;
  private final SchedulerConfig scheduler;

  public StableDiffusionPipeline(Backend backend, UNet2DConditionModel unet, AutoencoderKL vae, PromptEncoder encoder,
      SchedulerConfig scheduler) {
    this.backend = backend;
    this.unet = unet;
    this.vae = vae;
    this.encoder = encoder;
    this.scheduler = scheduler;
  }

  public StableDiffusionPipeline(Backend backend, StableDiffusion model) {
    this(backend, model.unet().value(), model.vae().value(), model.promptEncoder(backend), model.scheduler().value());
  }

  /**
   * Draws the pictures in order; fewer than asked for when the listener cancelled.
   *
   * @throws DivergedException when the weights give no finite picture
   */
  public List<RgbImage> generate(List<ImageRequest> requests, SamplingSettings settings, ProgressListener listener) {
    if (!settings.origin().equals(PictureOrigin.SELF) && encoder.pooledSize() == 0) {
      throw new IllegalArgumentException("original size and crop: this model is not told of them, only SDXL is");
    }
    Shape latents = latentShape(settings);
    Sampler sampler = settings.sampler().create(scheduler, settings.steps());
    Map<String, TextEmbedding> texts = encode(requests, settings);
    int batch = Math.max(1, POSITIONS_AT_ONCE / (latents.dim(0) * latents.dim(1)));
    Progress progress = new Progress(listener, (long) requests.size() * sampler.calls());
    List<RgbImage> images = new ArrayList<>();
    for (int from = 0; from < requests.size() && !progress.cancelled; from += batch) {
      List<ImageRequest> part = requests.subList(from, Math.min(requests.size(), from + batch));
      float[] x = sample(part, sampler, latents, texts, settings, progress);
      if (!progress.cancelled) {
        images.addAll(decode(x, part.size(), latents));
      }
    }
    return images;
  }

  private float[] sample(List<ImageRequest> part, Sampler sampler, Shape latents,
      Map<String, TextEmbedding> texts, SamplingSettings settings, Progress progress) {
    float[] x = ImageNoise.latents(part, latents.size(), sampler.initNoiseSigma());
    float[] in = new float[x.length];
    float[] output = new float[x.length];
    NoiseSource noise = ImageNoise.steps(part);
    try (MemoryScope scope = backend.scope();
        NoisePredictor predictor = new NoisePredictor(backend, unet, latents,
            conditions(part, texts, latents, settings))) {
      for (int call = 0; call < sampler.calls() && !progress.cancelled; call++) {
        sampler.scaleInput(in, x, call);
        float[] answers = predictor.predict(in, (float) sampler.timestep(call));
        if (settings.guided()) {
          Guidance.combine(output, answers, settings.guidance());
        } else {
          output = answers;
        }
        sampler.step(x, output, call, noise);
        progress.add(part.size());
      }
    }
    return x;
  }

  /** One picture at a time: the decoder needs far more memory than the UNet. */
  private List<RgbImage> decode(float[] x, int samples, Shape latents) {
    float scale = 1 / vae.config().scalingFactor();
    List<RgbImage> images = new ArrayList<>();
    for (int n = 0; n < samples; n++) {
      float[] z = new float[latents.size()];
      for (int i = 0; i < z.length; i++) {
        z[i] = x[n * z.length + i] * scale;
        if (!Float.isFinite(z[i])) {
          throw new DivergedException("the latents of a picture are not finite: the weights are damaged, or their "
              + "training diverged");
        }
      }
      try (MemoryScope scope = backend.scope()) {
        images.addAll(Pixels.toImages(vae.decode(backend.of(batchOf(1, latents), z), Tape.NONE)));
      }
    }
    return images;
  }

  private Conditions conditions(List<ImageRequest> part, Map<String, TextEmbedding> texts, Shape latents,
      SamplingSettings settings) {
    List<TextEmbedding> all = new ArrayList<>();
    if (settings.guided()) {
      part.forEach(request -> all.add(encoder.negative(request.negativePrompt(), texts)));
    }
    part.forEach(request -> all.add(texts.get(request.prompt())));
    int factor = vae.config().factor();
    TimeIds timeIds = settings.origin().timeIds(latents.dim(0) * factor, latents.dim(1) * factor);
    return Conditions.of(backend, encoder.contextShape(), all, Collections.nCopies(all.size(), timeIds));
  }

  private Map<String, TextEmbedding> encode(List<ImageRequest> requests, SamplingSettings settings) {
    Set<String> texts = new LinkedHashSet<>();
    for (ImageRequest request : requests) {
      texts.add(request.prompt());
      if (settings.guided()) {
        texts.add(request.negativePrompt());
      }
    }
    for (String text : texts) {
      if (encoder.truncates(text)) {
        LOG.warn("The text encoder reads {} tokens; the end of this prompt is cut off: {}", encoder.maxLength(), text);
      }
    }
    return encoder.encode(texts);
  }

  private Shape latentShape(SamplingSettings settings) {
    int factor = vae.config().factor();
    int width = settings.width() == 0 ? unet.config().sampleSize() * factor : settings.width();
    int height = settings.height() == 0 ? unet.config().sampleSize() * factor : settings.height();
    if (width % factor != 0 || height % factor != 0) {
      throw new IllegalArgumentException("a picture of " + width + " x " + height + " pixels: this model draws "
          + "multiples of " + factor);
    }
    return Shape.of(height / factor, width / factor, vae.config().latentChannels());
  }

  private static Shape batchOf(int samples, Shape latents) {
    return Shape.of(samples, latents.dim(0), latents.dim(1), latents.dim(2));
  }

  /** Counts steps and remembers that the listener cancelled. */
  private static final class Progress {
    private final ProgressListener listener;
    private final long total;
    private long done;
    private boolean cancelled;

    Progress(ProgressListener listener, long total) {
      this.listener = listener;
      this.total = total;
    }

    void add(int steps) {
      done += steps;
      listener.onProgress(done, total);
      cancelled = listener.cancelled();
    }
  }
}
