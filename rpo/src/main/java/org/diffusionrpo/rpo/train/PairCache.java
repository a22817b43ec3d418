package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.diffusionrpo.diffusion.data.ContentKey;
import org.diffusionrpo.diffusion.data.EncodingStore;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.rpo.data.DecodedEntry;
import org.diffusionrpo.rpo.data.DecodedPair;
import org.diffusionrpo.rpo.data.LeftOut;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairEntry;
import org.diffusionrpo.rpo.data.PairReader;
import org.diffusionrpo.rpo.data.PreferencePair;

/** Fills a cache folder with the encodings of pairs that it lacks. What was encoded stays when the work is ended. */
public final class PairCache {
  /** Pairs encoded at a time: bounds decoded pictures in memory, and the work that an interruption loses. */
  private static final int CHUNK = 16;

  private final Path folder;
  private final PairEncoder encoder;
  private final Relabelling relabelling;
  private final PairStores stores;

  private PairCache(Path folder, PairEncoder encoder, Relabelling relabelling, PairStores stores) {
    this.folder = folder;
    this.encoder = encoder;
    this.relabelling = relabelling;
    this.stores = stores;
  }

  /**
   * Encodes what is not in the cache yet.
   *
   * @param flips also the mirrored pictures
   * @param relabelling AI feedback; null to keep the labels
   * @param report hears of the pairs and of what is left out
   * @return empty when the listener cancelled; the caller closes the pairs
   */
  public static Optional<CachedPairs> fill(Path folder, List<PairBlock> blocks, PairEncoder encoder, boolean flips,
      Relabelling relabelling, LoadReport report, ProgressListener listener) throws IOException {
    PairStores stores = new PairStores(folder, encoder, flips, relabelling == null ? null : relabelling.scorer());
    boolean kept = false;
    try {
      PairCache cache = new PairCache(folder, encoder, relabelling, stores);
      List<PairKeys> keys = cache.fill(blocks, report, listener);
      kept = keys != null;
      return kept ? Optional.of(new CachedPairs(stores, keys, encoder)) : Optional.empty();
    } finally {
      if (!kept) {
        stores.close();
      }
    }
  }

  /** Null when the listener cancelled. */
  private List<PairKeys> fill(List<PairBlock> blocks, LoadReport report, ProgressListener listener)
      throws IOException {
    List<List<PairKeys>> known = new ArrayList<>();
    List<PairBlock> unknown = new ArrayList<>();
    for (PairBlock block : blocks) {
      List<PairKeys> keys = PairKeys.load(folder, block);
      boolean complete = keys != null && keys.stream().allMatch(this::isComplete);
      known.add(complete ? keys : null);
      if (!complete) {
        unknown.add(block);
      }
    }
    List<PairKeys> all = new ArrayList<>();
    long total = blocks.stream().mapToLong(PairBlock::size).sum();
    long done = 0;
    try (PairReader<Prepared> reader = new PairReader<>(unknown, this::prepare)) {
      for (int b = 0; b < blocks.size(); b++) {
        List<PairKeys> keys = known.get(b);
        if (keys == null) {
          keys = encode(blocks.get(b), reader, done, total, report, listener);
          if (keys == null) {
            return null;
          }
        } else {
          keys.stream().filter(pair -> !pair.isPair()).forEach(pair -> new LeftOut(pair.equals(PairKeys.UNREADABLE),
              "an entry that was left out when the cache was filled").addTo(report));
        }
        for (PairKeys pair : keys) {
          if (pair.isPair()) {
            all.add(relabelled(pair));
            report.addPair();
          }
        }
        done += blocks.get(b).size();
      }
    }
    return all;
  }

  private boolean isComplete(PairKeys pair) {
    return !pair.isPair() || stores.hasCaption(pair.caption())
        && stores.hasPicture(pair.winner(), pair.caption()) && stores.hasPicture(pair.loser(), pair.caption());
  }

  private PairKeys relabelled(PairKeys pair) throws IOException {
    boolean swap = relabelling != null && relabelling.swaps(
        stores.score(pair.winner(), pair.caption()), stores.score(pair.loser(), pair.caption()));
    return swap ? pair.swapped() : pair;
  }

  /**
   * An entry on its way into the cache.
   *
   * @param pair null when both pictures are in the cache already
   * @param fault null for a pair that can be used
   */
  private record Prepared(PairKeys keys, String caption, PreparedPair pair, LeftOut fault) {}

  /** Runs on other threads, so a picture that is being encoded may be decoded once more, for nothing. */
  private Prepared prepare(PairEntry entry) {
    if (entry instanceof LeftOut leftOut) {
      return new Prepared(PairKeys.of(leftOut), null, null, leftOut);
    }
    PreferencePair pair = (PreferencePair) entry;
    PairKeys keys =
        new PairKeys(ContentKey.of(pair.winner()), ContentKey.of(pair.loser()), ContentKey.of(pair.caption()));
    boolean cached =
        stores.hasPicture(keys.winner(), keys.caption()) && stores.hasPicture(keys.loser(), keys.caption());
    if (cached) {
      return new Prepared(keys, pair.caption(), null, null);
    }
    DecodedEntry decoded = DecodedEntry.of(pair);
    return decoded instanceof LeftOut leftOut ? new Prepared(PairKeys.of(leftOut), null, null, leftOut)
        : new Prepared(keys, pair.caption(),
            PreparedPair.of((DecodedPair) decoded, encoder.resolution(), View.PLAIN, relabelling), null);
  }

  /** Null when the listener cancelled. */
  private List<PairKeys> encode(PairBlock block, PairReader<Prepared> reader, long before, long total,
      LoadReport report, ProgressListener listener) throws IOException {
    List<PairKeys> keys = new ArrayList<>();
    while (keys.size() < block.size()) {
      if (listener.cancelled()) {
        return null;
      }
      List<Prepared> chunk = new ArrayList<>();
      while (chunk.size() < CHUNK && keys.size() < block.size()) {
        Prepared next = reader.next();
        keys.add(next.keys);
        if (next.fault != null) {
          next.fault.addTo(report);
        } else {
          chunk.add(next);
        }
      }
      encode(chunk);
      listener.onProgress(before + keys.size(), total);
    }
    PairKeys.save(folder, block, keys);
    return keys;
  }

  private void encode(List<Prepared> chunk) throws IOException {
    Map<ContentKey, PreparedImage> pictures = new LinkedHashMap<>();
    Map<ContentKey, String> captions = new LinkedHashMap<>();
    Map<ContentKey, Map.Entry<RgbImage, String>> judged = new LinkedHashMap<>();
    for (Prepared pair : chunk) {
      captions.put(pair.keys.caption(), pair.caption);
      if (pair.pair != null) {
        pictures.putIfAbsent(pair.keys.winner(), pair.pair.winner());
        pictures.putIfAbsent(pair.keys.loser(), pair.pair.loser());
        if (relabelling != null) {
          judge(pair.keys.winner(), pair.pair.judgedWinner(), pair, judged);
          judge(pair.keys.loser(), pair.pair.judgedLoser(), pair, judged);
        }
      }
    }
    fill(stores.timeIds, pictures, all -> all.stream().map(image -> PairStores.values(image.timeIds())).toList());
    fill(stores.moments, pictures, encoder::moments);
    fill(stores.flipped, pictures, all -> encoder.moments(all.stream().map(PreparedImage::flipped).toList()));
    fill(stores.images, pictures, all -> floats(encoder.imageEmbeddings(all)));
    fill(stores.texts, captions, this::texts);
    fill(stores.prompts, captions, all -> {
      Map<String, double[]> embeddings = encoder.captionEmbeddings(all);
      return floats(all.stream().map(embeddings::get).toList());
    });
    fill(stores.scores, judged, this::scores);
  }

  private static void judge(ContentKey key, RgbImage picture, Prepared pair,
      Map<ContentKey, Map.Entry<RgbImage, String>> judged) {
    judged.put(PairStores.scoreKey(key, pair.keys.caption()), Map.entry(picture, pair.caption));
  }

  /** Encodes and adds what a store lacks; nothing when the run does not read the store. */
  private static <T> void fill(EncodingStore store, Map<ContentKey, T> inputs, Function<List<T>, List<float[]>> encode)
      throws IOException {
    if (store == null) {
      return;
    }
    List<ContentKey> lacking = inputs.keySet().stream().filter(key -> !store.contains(key)).toList();
    if (!lacking.isEmpty()) {
      store.append(lacking, encode.apply(lacking.stream().map(inputs::get).toList()));
    }
  }

  private List<float[]> texts(List<String> captions) {
    Map<String, TextEmbedding> embeddings = encoder.texts(captions);
    return captions.stream().map(caption -> PairStores.values(embeddings.get(caption))).toList();
  }

  private List<float[]> scores(List<Map.Entry<RgbImage, String>> judged) {
    double[] scores = relabelling.scorer().score(judged.stream().map(Map.Entry::getKey).toList(),
        judged.stream().map(Map.Entry::getValue).toList());
    List<float[]> values = new ArrayList<>();
    for (double score : scores) {
      values.add(new float[] {(float) score});
    }
    return values;
  }

  private static List<float[]> floats(List<double[]> embeddings) {
    List<float[]> all = new ArrayList<>();
    for (double[] embedding : embeddings) {
      float[] values = new float[embedding.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) embedding[i];
      }
      all.add(values);
    }
    return all;
  }
}
