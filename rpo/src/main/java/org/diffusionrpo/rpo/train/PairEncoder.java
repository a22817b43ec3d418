package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.clip.PromptEncoder;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;

/** Runs the frozen encoders over preference pairs, in chunks, so that few decoded pictures are in memory at a time. */
public final class PairEncoder {
  /** Pictures that are decoded and encoded at once. */
  public static final int CHUNK = 32;

  private final LatentEncoder latents;
  private final PromptEncoder prompts;
  private final ClipEmbedder clip;
  private final int resolution;
  private final StableDiffusion model;
  private final Clip clipModel;

  private PairEncoder(LatentEncoder latents, PromptEncoder prompts, ClipEmbedder clip, int resolution,
      StableDiffusion model, Clip clipModel) {
    this.model = model;
    this.clipModel = clipModel;
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
        model.unet().value().config().sampleSize() * vae.config().factor(), model, clip);
  }

  /** Encodes all pairs without mirrored pictures, see {@link #encode(List, boolean, ProgressListener)}. */
  public Optional<EncodedPairs> encode(List<PreferencePair> pairs, ProgressListener listener) throws IOException {
    return encode(pairs, false, listener);
  }

  /**
   * Encodes all pairs, each picture as a {@link PreparedImage}. A picture or caption that stands in many pairs is
   * encoded once.
   *
   * @param flips encode the mirrored pictures too
   * @param listener hears of the share of the pairs that is done
   * @return empty when the listener cancelled
   */
  public Optional<EncodedPairs> encode(List<PreferencePair> pairs, boolean flips, ProgressListener listener)
      throws IOException {
    List<String> captions = pairs.stream().map(PreferencePair::caption).toList();
    Map<String, TextEmbedding> texts = prompts.encode(captions);
    Map<ByteBuffer, Encoded> pictures = encodePictures(pairs, flips, listener);
    if (pictures == null) {
      return Optional.empty();
    }
    Map<String, double[]> promptEmbeddings = captionEmbeddings(captions);
    List<EncodedPair> plain = new ArrayList<>();
    List<EncodedPair> flipped = new ArrayList<>();
    for (PreferencePair pair : pairs) {
      Encoded winner = pictures.get(ByteBuffer.wrap(pair.winner()));
      Encoded loser = pictures.get(ByteBuffer.wrap(pair.loser()));
      TextEmbedding text = texts.get(pair.caption());
      double[] prompt = promptEmbeddings.get(pair.caption());
      plain.add(new EncodedPair(winner.plain, loser.plain, text, prompt));
      if (flips) {
        flipped.add(new EncodedPair(winner.flipped, loser.flipped, text, prompt));
      }
    }
    return Optional.of(new PairsInMemory(latentShape(), contextShape(), emptyText(), plain, flipped));
  }

  /** @param flipped null when no picture is mirrored */
  private record Encoded(EncodedImage plain, EncodedImage flipped) {}

  /** Every different picture of the pairs by its bytes; null when the listener cancelled. */
  private Map<ByteBuffer, Encoded> encodePictures(List<PreferencePair> pairs, boolean flips, ProgressListener listener)
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
        prepared.add(PreparedImage.of(ImageCodec.decode(bytes.array(), sources.get(bytes)), resolution, View.PLAIN));
      }
      List<EncodedImage> plain = images(prepared);
      List<float[]> flipped = flips ? moments(prepared.stream().map(PreparedImage::flipped).toList()) : null;
      for (int i = 0; i < chunk.size(); i++) {
        EncodedImage image = plain.get(i);
        encoded.put(chunk.get(i), new Encoded(image,
            flips ? new EncodedImage(flipped.get(i), image.timeIds(), image.embedding()) : null));
      }
      listener.onProgress((long) pairs.size() * (from + chunk.size()) / different.size(), pairs.size());
    }
    return encoded;
  }

  /** Moments, sizes and, where the objective reads them, embeddings of pictures. */
  List<EncodedImage> images(List<PreparedImage> prepared) {
    List<float[]> moments = moments(prepared);
    List<double[]> embeddings = embeds() ? imageEmbeddings(prepared) : null;
    List<EncodedImage> encoded = new ArrayList<>();
    for (int i = 0; i < prepared.size(); i++) {
      encoded.add(new EncodedImage(moments.get(i), prepared.get(i).timeIds(),
          embeddings == null ? null : embeddings.get(i)));
    }
    return encoded;
  }

  List<float[]> moments(List<PreparedImage> prepared) {
    return latents.moments(prepared.stream().map(PreparedImage::image).toList());
  }

  List<double[]> imageEmbeddings(List<PreparedImage> prepared) {
    return clip.images(prepared.stream().map(PreparedImage::image).toList());
  }

  Map<String, TextEmbedding> texts(Collection<String> captions) {
    return prompts.encode(captions);
  }

  TextEmbedding emptyText() {
    return prompts.encode("");
  }

  /** True when the objective reads CLIP embeddings. */
  boolean embeds() {
    return clip != null;
  }

  /** Side of the pictures in pixels. */
  int resolution() {
    return resolution;
  }

  /** E of the CLIP embeddings. */
  int embeddingSize() {
    return clipModel.model().value().text().config().projectionDim();
  }

  int pooledSize() {
    return prompts.pooledSize();
  }

  /** Changes when moments do. */
  String vaeChecksum() {
    return EncoderChecksums.vae(model);
  }

  /** Changes when text embeddings do. */
  String textChecksum() {
    return EncoderChecksums.text(model);
  }

  /** Changes when CLIP embeddings do. */
  String clipChecksum() {
    return EncoderChecksums.clip(clipModel);
  }

  Shape latentShape() {
    return latents.latentShape(resolution, resolution);
  }

  Shape contextShape() {
    return prompts.contextShape();
  }

  /** Empty without a CLIP. */
  Map<String, double[]> captionEmbeddings(List<String> captions) {
    Map<String, double[]> byCaption = new HashMap<>();
    if (clip != null) {
      List<String> different = captions.stream().distinct().toList();
      List<double[]> embeddings = clip.texts(different);
      for (int i = 0; i < different.size(); i++) {
        byCaption.put(different.get(i), embeddings.get(i));
      }
    }
    return byCaption;
  }
}
