package org.diffusionrpo.rpo.train;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.diffusion.data.ContentKey;
import org.diffusionrpo.diffusion.data.EncodingStore;
import org.diffusionrpo.diffusion.data.Precision;
import org.diffusionrpo.diffusion.data.StoreContents;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;

/**
 * The stores of a cache folder that one kind of run reads:
 * <pre>
 *   moments, flipped    of pictures, as they are and mirrored: transform, VAE               float16
 *   time-ids            of pictures: transform                                              float32
 *   texts               of captions: text encoder, tokenizer                                float16
 *   clip-images, clip-texts, scores    of pictures, captions, both: CLIP                    float32
 * </pre>
 */
final class PairStores implements Closeable {
  private static final int TIME_IDS = 6;

  final EncodingStore moments;
  /** Null when no picture is mirrored. */
  final EncodingStore flipped;
  final EncodingStore timeIds;
  final EncodingStore texts;
  /** Null when the objective reads no embeddings; {@link #prompts} likewise. */
  final EncodingStore images;
  final EncodingStore prompts;
  /** Null when the labels stay as they are. */
  final EncodingStore scores;
  private final List<EncodingStore> all = new ArrayList<>();
  private final int contextSize;

  /**
   * Opens or begins the stores.
   *
   * @param scorer null when the labels stay as they are
   */
  PairStores(Path cache, PairEncoder encoder, boolean flips, Scorer scorer) throws IOException {
    try {
      Map<String, String> picture = Map.of("transform", PreparedImage.TRANSFORM, "resolution",
          String.valueOf(encoder.resolution()));
      Map<String, String> vae = with(picture, "vae", encoder.vaeChecksum());
      contextSize = encoder.contextShape().size();
      moments = open(cache, "moments", vae, 2 * encoder.latentShape().size(), Precision.F16);
      flipped = !flips ? null
          : open(cache, "flipped", with(vae, "flip", "mirrored"), 2 * encoder.latentShape().size(), Precision.F16);
      timeIds = open(cache, "time-ids", picture, TIME_IDS, Precision.F32);
      texts = open(cache, "texts", Map.of("text encoder", encoder.textChecksum()), contextSize + encoder.pooledSize(),
          Precision.F16);
      Map<String, String> clip = encoder.embeds() ? Map.of("clip", encoder.clipChecksum()) : null;
      images = clip == null ? null
          : open(cache, "clip-images", with(picture, "clip", clip.get("clip")), encoder.embeddingSize(), Precision.F32);
      prompts = clip == null ? null : open(cache, "clip-texts", clip, encoder.embeddingSize(), Precision.F32);
      scores = scorer == null ? null
          : open(cache, "scores", Map.of(scorer.name(), scorer.checksum()), 1, Precision.F32);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private EncodingStore open(Path cache, String kind, Map<String, String> madeBy, int values, Precision precision)
      throws IOException {
    EncodingStore store = EncodingStore.open(cache, new StoreContents(kind, madeBy, values, precision));
    all.add(store);
    return store;
  }

  private static Map<String, String> with(Map<String, String> map, String name, String value) {
    Map<String, String> more = new TreeMap<>(map);
    more.put(name, value);
    return more;
  }

  /** The key of a score. */
  static ContentKey scoreKey(ContentKey picture, ContentKey caption) {
    return ContentKey.of(picture, caption);
  }

  boolean hasPicture(ContentKey picture, ContentKey caption) {
    return moments.contains(picture) && timeIds.contains(picture) && (flipped == null || flipped.contains(picture))
        && (images == null || images.contains(picture))
        && (scores == null || scores.contains(scoreKey(picture, caption)));
  }

  boolean hasCaption(ContentKey caption) {
    return texts.contains(caption) && (prompts == null || prompts.contains(caption));
  }

  EncodedImage image(ContentKey picture, boolean flip) throws IOException {
    EncodingStore store = flip ? flipped : moments;
    float[] ids = timeIds.read(timeIds.find(picture));
    return new EncodedImage(store.read(store.find(picture)), new TimeIds((int) ids[0], (int) ids[1], (int) ids[2],
        (int) ids[3], (int) ids[4], (int) ids[5]), embedding(images, picture));
  }

  static float[] values(TimeIds ids) {
    return new float[] {ids.originalHeight(), ids.originalWidth(), ids.cropTop(), ids.cropLeft(), ids.targetHeight(),
        ids.targetWidth()};
  }

  TextEmbedding text(ContentKey caption) throws IOException {
    float[] values = texts.read(texts.find(caption));
    return values.length == contextSize ? new TextEmbedding(values)
        : new TextEmbedding(Arrays.copyOf(values, contextSize),
            Arrays.copyOfRange(values, contextSize, values.length));
  }

  static float[] values(TextEmbedding text) {
    if (text.pooled() == null) {
      return text.context();
    }
    float[] values = Arrays.copyOf(text.context(), text.context().length + text.pooled().length);
    System.arraycopy(text.pooled(), 0, values, text.context().length, text.pooled().length);
    return values;
  }

  double[] prompt(ContentKey caption) throws IOException {
    return embedding(prompts, caption);
  }

  float score(ContentKey picture, ContentKey caption) throws IOException {
    return scores.read(scores.find(scoreKey(picture, caption)))[0];
  }

  private static double[] embedding(EncodingStore store, ContentKey key) throws IOException {
    if (store == null) {
      return null;
    }
    float[] values = store.read(store.find(key));
    double[] embedding = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      embedding[i] = values[i];
    }
    return embedding;
  }

  @Override
  public void close() throws IOException {
    for (EncodingStore store : all) {
      store.close();
    }
  }
}
