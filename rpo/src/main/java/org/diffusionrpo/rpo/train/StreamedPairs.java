package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.train.BatchOrder;
import org.diffusionrpo.diffusion.train.WindowSampler;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.kernels.cpu.Parallel;
import org.diffusionrpo.rpo.data.BackgroundThreads;
import org.diffusionrpo.rpo.data.DecodedEntry;
import org.diffusionrpo.rpo.data.DecodedPair;
import org.diffusionrpo.rpo.data.LeftOut;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.tensor.Shape;

/**
 * Pairs that are read, decoded and encoded whenever an update wants them; nothing is kept. Blocks and pictures are read
 * ahead on other threads; what {@link #get} returns depends on neither their number nor their speed. A pair with a
 * picture that cannot be decoded is replaced by the next one of its block, or of the blocks after it, and counted.
 */
public final class StreamedPairs implements EncodedPairs {
  /** Pairs encoded at a time. */
  private static final int CHUNK = 16;
  /** Pairs that are decoded or wait to be taken. */
  private static final int AHEAD = 2 * CHUNK;

  private final BlockWindow blocks;
  private final int window;
  private final PairEncoder encoder;
  private final Relabelling relabelling;
  private final LoadReport report;
  private final TextEmbedding emptyText;
  private final ExecutorService decoders = BackgroundThreads.pool("drpo-pictures", Parallel.threads());
  private final Map<Wanted, Future<Shown>> ahead = new HashMap<>();
  private final BitSet leftOut = new BitSet();
  private final BitSet used = new BitSet();

  /**
   * @param window blocks whose pairs mix
   * @param relabelling AI feedback; null to keep the labels
   * @param report hears of the pairs that are used, each once, and of those that are left out
   * @throws IOException when two windows do not fit into half of the heap
   */
  public StreamedPairs(List<PairBlock> blocks, int window, PairEncoder encoder, Relabelling relabelling,
      LoadReport report) throws IOException {
    this.blocks = new BlockWindow(blocks, window, Runtime.getRuntime().maxMemory() / 2);
    this.window = window;
    this.encoder = encoder;
    this.relabelling = relabelling;
    this.report = report;
    this.emptyText = encoder.emptyText();
  }

  private record Wanted(int item, View view) {}

  /** A decoded entry: a pair, or a fault. */
  private record Shown(String caption, PreparedPair pair, LeftOut fault) {}

  @Override
  public int size() {
    return blocks.size();
  }

  @Override
  public Shape latentShape() {
    return encoder.latentShape();
  }

  @Override
  public Shape contextShape() {
    return encoder.contextShape();
  }

  @Override
  public TextEmbedding emptyText() {
    return emptyText;
  }

  @Override
  public BatchOrder order(long seed, int batch) {
    return new WindowSampler(seed, blocks.blockSizes(), window, batch);
  }

  @Override
  public void announce(int[] items, View[] views) {
    for (int i = 0; i < items.length && ahead.size() < AHEAD; i++) {
      begin(new Wanted(items[i], views[i]));
    }
  }

  private Future<Shown> begin(Wanted wanted) {
    blocks.announce(wanted.item);
    return ahead.computeIfAbsent(wanted, key -> decoders.submit(() -> show(key)));
  }

  private Shown show(Wanted wanted) throws IOException {
    DecodedEntry entry = DecodedEntry.of(blocks.entry(wanted.item));
    if (entry instanceof LeftOut fault) {
      return new Shown(null, null, fault);
    }
    DecodedPair pair = (DecodedPair) entry;
    View view = wanted.view.withoutFlip(); // mirrored later: embeddings are of the picture as it is
    return new Shown(pair.pair().caption(), PreparedPair.of(pair, encoder.resolution(), view, relabelling), null);
  }

  @Override
  public List<EncodedPair> get(int[] items, View[] views) throws IOException {
    List<EncodedPair> encoded = new ArrayList<>();
    for (int from = 0; from < items.length; from += CHUNK) {
      int to = Math.min(items.length, from + CHUNK);
      List<Wanted> wanted = new ArrayList<>();
      for (int i = from; i < Math.min(items.length, from + AHEAD); i++) {
        begin(new Wanted(items[i], views[i]));
        if (i < to) {
          wanted.add(new Wanted(items[i], views[i]));
        }
      }
      List<Shown> shown = new ArrayList<>();
      for (Wanted one : wanted) {
        shown.add(usable(one));
      }
      wanted.forEach(ahead::remove);
      encoded.addAll(encode(shown, wanted));
    }
    return encoded;
  }

  /** The pair, or the first of its substitutes that can be used. */
  private Shown usable(Wanted wanted) throws IOException {
    Shown shown = BackgroundThreads.await(begin(wanted));
    count(wanted.item, shown);
    for (int nth = 1; shown.fault != null; nth++) {
      if (nth == size()) {
        throw new IOException("no pair can be used: " + shown.fault.fault());
      }
      int next = blocks.substitute(wanted.item, nth);
      if (!leftOut.get(next)) {
        shown = show(new Wanted(next, wanted.view));
        count(next, shown);
      }
    }
    return shown;
  }

  private void count(int item, Shown shown) {
    if (shown.fault == null && !used.get(item)) {
      used.set(item);
      report.addPair();
    } else if (shown.fault != null && !leftOut.get(item)) {
      leftOut.set(item);
      shown.fault.addTo(report);
    }
  }

  private List<EncodedPair> encode(List<Shown> pairs, List<Wanted> wanted) throws IOException {
    List<PreparedImage> plain = new ArrayList<>();
    List<PreparedImage> asSeen = new ArrayList<>();
    for (int i = 0; i < pairs.size(); i++) {
      for (PreparedImage image : List.of(pairs.get(i).pair.winner(), pairs.get(i).pair.loser())) {
        plain.add(image);
        asSeen.add(wanted.get(i).view.flip() ? image.flipped() : image);
      }
    }
    List<float[]> moments = encoder.moments(asSeen);
    List<double[]> embeddings = encoder.embeds() ? encoder.imageEmbeddings(plain) : null;
    List<String> captions = pairs.stream().map(Shown::caption).toList();
    Map<String, TextEmbedding> texts = encoder.texts(captions);
    Map<String, double[]> prompts = encoder.captionEmbeddings(captions);
    boolean[] swaps = swaps(pairs);
    List<EncodedPair> encoded = new ArrayList<>();
    for (int i = 0; i < pairs.size(); i++) {
      EncodedImage[] sides = new EncodedImage[2];
      for (int side = 0; side < 2; side++) {
        int at = 2 * i + side;
        sides[side] =
            new EncodedImage(moments.get(at), plain.get(at).timeIds(), embeddings == null ? null : embeddings.get(at));
      }
      encoded.add(new EncodedPair(sides[swaps[i] ? 1 : 0], sides[swaps[i] ? 0 : 1], texts.get(captions.get(i)),
          prompts.get(captions.get(i))));
    }
    return encoded;
  }

  private boolean[] swaps(List<Shown> pairs) {
    boolean[] swaps = new boolean[pairs.size()];
    if (relabelling == null) {
      return swaps;
    }
    List<RgbImage> pictures = new ArrayList<>();
    List<String> captions = new ArrayList<>();
    for (Shown shown : pairs) {
      pictures.addAll(List.of(shown.pair.judgedWinner(), shown.pair.judgedLoser()));
      captions.addAll(List.of(shown.caption, shown.caption));
    }
    double[] scores = relabelling.scorer().score(pictures, captions);
    for (int i = 0; i < swaps.length; i++) {
      swaps[i] = relabelling.swaps(scores[2 * i], scores[2 * i + 1]);
    }
    return swaps;
  }

  @Override
  public void close() {
    decoders.shutdownNow();
    blocks.close();
  }
}
