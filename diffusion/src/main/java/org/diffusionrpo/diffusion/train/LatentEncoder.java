package org.diffusionrpo.diffusion.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.image.Pixels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/** Runs the frozen encoders over a data set, in batches. */
public final class LatentEncoder {
  /** Captions at once. */
  private static final int BATCH = 32;
  /** Pixels at once: the encoder's first level holds hundreds of floats for each. */
  private static final int PIXELS = 32 * 64 * 64;

  private final Backend backend;
  private final AutoencoderKL vae;
  private final ClipTextModel text;
  private final ClipTokenizer tokenizer;

  public LatentEncoder(Backend backend, AutoencoderKL vae, ClipTextModel text, ClipTokenizer tokenizer) {
    this.backend = backend;
    this.vae = vae;
    this.text = text;
    this.tokenizer = tokenizer;
  }

  /** All pictures of one size, with one caption each. */
  public LatentSet encode(List<RgbImage> images, List<String> captions) {
    int factor = vae.config().factor();
    Shape latents = Shape.of(images.get(0).height() / factor, images.get(0).width() / factor,
        vae.config().latentChannels());
    Map<String, float[]> contexts = contexts(captions);
    return new LatentSet(latents, contextShape(), moments(images), captions.stream().map(contexts::get).toList(),
        contexts(List.of("")).get(""));
  }

  /** Moments of each picture; all pictures have one size. */
  public List<float[]> moments(List<RgbImage> images) {
    List<float[]> moments = new ArrayList<>();
    int atOnce = images.isEmpty() ? 1 : Math.max(1, PIXELS / (images.get(0).width() * images.get(0).height()));
    for (int from = 0; from < images.size(); from += atOnce) {
      List<RgbImage> batch = images.subList(from, Math.min(images.size(), from + atOnce));
      try (MemoryScope scope = backend.scope()) {
        split(vae.encode(Pixels.toTensor(backend, batch), Tape.NONE), moments);
      }
    }
    return moments;
  }

  /** Last hidden state of each different caption. */
  public Map<String, float[]> contexts(List<String> captions) {
    List<String> unique = List.copyOf(new LinkedHashSet<>(captions));
    List<float[]> states = new ArrayList<>();
    for (int from = 0; from < unique.size(); from += BATCH) {
      List<String> batch = unique.subList(from, Math.min(unique.size(), from + BATCH));
      try (MemoryScope scope = backend.scope()) {
        split(text.forward(backend, tokenizer.encodeBatch(batch), batch.size(), Tape.NONE), states);
      }
    }
    Map<String, float[]> byCaption = new HashMap<>();
    for (int i = 0; i < unique.size(); i++) {
      byCaption.put(unique.get(i), states.get(i));
    }
    return byCaption;
  }

  /** [L, X] of one caption. */
  public Shape contextShape() {
    return Shape.of(tokenizer.maxLength(), text.config().tower().hiddenSize());
  }

  private static void split(Tensor batch, List<float[]> out) {
    float[] values = batch.toArray();
    int size = values.length / batch.dim(0);
    for (int n = 0; n < batch.dim(0); n++) {
      out.add(Arrays.copyOfRange(values, n * size, (n + 1) * size));
    }
  }
}
