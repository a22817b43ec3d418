package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.clip.PromptEncoder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;

/** Runs the frozen encoders over preference pairs, in chunks, so that few decoded pictures are in memory at a time. */
public final class PairEncoder {
  private static final int CHUNK = 32;

  private final LatentEncoder latents;
  private final PromptEncoder prompts;
  private final ClipEmbedder clip;
  private final int resolution;

  private PairEncoder(LatentEncoder latents, PromptEncoder prompts, ClipEmbedder clip, int resolution) {
    this.latents = latents;
    this.prompts = prompts;
    this.clip = clip;
    this.resolution = resolution;
  }

  /**
   * The encoders of a model.
   *
   * @param clip null when the objective reads no embeddings
   */
  public static PairEncoder of(Backend backend, StableDiffusion model, Clip clip) {
    AutoencoderKL vae = model.vae().value();
    return new PairEncoder(new LatentEncoder(backend, vae), model.promptEncoder(backend),
        clip == null ? null : new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()),
        model.unet().value().config().sampleSize() * vae.config().factor());
  }

  /**
   * Encodes all pairs, each picture as a {@link PreparedImage}. A picture or caption that stands in many pairs is
   * encoded once.
   *
   * @param listener hears of the share of the pairs that is done
   * @return empty when the listener cancelled
   */
  public Optional<EncodedPairs> encode(List<PreferencePair> pairs, ProgressListener listener) throws IOException {
    List<String> captions = pairs.stream().map(PreferencePair::caption).toList();
    Map<String, TextEmbedding> texts = prompts.encode(captions);
    Map<ByteBuffer, Encoded> pictures = encodePictures(pairs, listener);
    if (pictures == null) {
      return Optional.empty();
    }
    List<Encoded> winners = pairs.stream().map(pair -> pictures.get(ByteBuffer.wrap(pair.winner()))).toList();
    List<Encoded> losers = pairs.stream().map(pair -> pictures.get(ByteBuffer.wrap(pair.loser()))).toList();
    return Optional.of(new EncodedPairs(latents.latentShape(resolution, resolution), prompts.contextShape(),
        moments(winners), moments(losers), timeIds(winners), timeIds(losers),
        captions.stream().map(texts::get).toList(), prompts.encode(""),
        embeddings(winners), embeddings(losers), captionEmbeddings(captions)));
  }

  /** @param embedding null without a CLIP */
  private record Encoded(float[] moments, TimeIds timeIds, double[] embedding) {}

  /** Every different picture of the pairs by its bytes; null when the listener cancelled. */
  private Map<ByteBuffer, Encoded> encodePictures(List<PreferencePair> pairs, ProgressListener listener)
      throws IOException {
    Map<ByteBuffer, String> sources = new LinkedHashMap<>();
    for (PreferencePair pair : pairs) {
      sources.putIfAbsent(ByteBuffer.wrap(pair.winner()), pair.id());
      sources.putIfAbsent(ByteBuffer.wrap(pair.loser()), pair.id());
    }
    List<ByteBuffer> different = List.copyOf(sources.keySet());
    Map<ByteBuffer, Encoded> encoded = new HashMap<>();
    for (int from = 0; from < different.size(); from += CHUNK) {
      if (listener.cancelled()) {
        return null;
      }
      List<ByteBuffer> chunk = different.subList(from, Math.min(different.size(), from + CHUNK));
      List<PreparedImage> prepared = new ArrayList<>();
      for (ByteBuffer bytes : chunk) {
        prepared.add(PreparedImage.of(bytes.array(), sources.get(bytes), resolution));
      }
      List<RgbImage> images = prepared.stream().map(PreparedImage::image).toList();
      List<float[]> moments = latents.moments(images);
      List<double[]> embeddings = clip == null ? null : clip.images(images);
      for (int i = 0; i < chunk.size(); i++) {
        encoded.put(chunk.get(i), new Encoded(moments.get(i), prepared.get(i).timeIds(),
            embeddings == null ? null : embeddings.get(i)));
      }
      listener.onProgress((long) pairs.size() * (from + chunk.size()) / different.size(), pairs.size());
    }
    return encoded;
  }

  private List<double[]> captionEmbeddings(List<String> captions) {
    if (clip == null) {
      return List.of();
    }
    List<String> different = captions.stream().distinct().toList();
    List<double[]> embeddings = clip.texts(different);
    Map<String, double[]> byCaption = new HashMap<>();
    for (int i = 0; i < different.size(); i++) {
      byCaption.put(different.get(i), embeddings.get(i));
    }
    return captions.stream().map(byCaption::get).toList();
  }

  private static List<float[]> moments(List<Encoded> pictures) {
    return pictures.stream().map(Encoded::moments).toList();
  }

  private static List<TimeIds> timeIds(List<Encoded> pictures) {
    return pictures.stream().map(Encoded::timeIds).toList();
  }

  private List<double[]> embeddings(List<Encoded> pictures) {
    return clip == null ? List.of() : pictures.stream().map(Encoded::embedding).toList();
  }
}
