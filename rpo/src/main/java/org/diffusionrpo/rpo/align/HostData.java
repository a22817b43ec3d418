package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.train.EncodedImage;
import org.diffusionrpo.rpo.train.EncodedPair;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.View;

/**
 * What the pairs of a run take outside of tensors. Of a user's data only labels and one block of pairs are read.
 *
 * @param pairs in all
 * @param pictures bytes of the encoded pictures that stay in memory
 * @param encoded how many different encodings there are for each pair: fewer than 1 where pairs share them
 */
record HostData(int pairs, long pictures, double encoded) {
  /** Index of a cache, for each pair. */
  private static final long INDEX_BYTES = 300;

  static HostData of(AlignSettings settings) throws IOException {
    AlignSettings unread = settings.copy();
    unread.cache = null;
    unread.stream = settings.data != null; // which lists the pairs without reading them
    AlignData data = AlignData.load(unread);
    if (settings.data == null) {
      long all = data.styled().all().stream().mapToLong(image -> image.png().length).sum(); // also those of no pair
      return new HostData(data.size(), all, of(data.pairs(), data.size(), settings).encoded());
    }
    for (int i = 0; i < data.blocks().size(); i++) {
      List<PreferencePair> block = data.blocks().get(i).read().stream()
          .filter(PreferencePair.class::isInstance).map(PreferencePair.class::cast).toList();
      if (!block.isEmpty()) {
        return of(block, data.size(), settings);
      }
    }
    return new HostData(data.size(), 0, 1);
  }

  /** Goes from some of the pairs to all. */
  private static HostData of(List<PreferencePair> some, int pairs, AlignSettings settings) {
    Set<ByteBuffer> pictures = new HashSet<>();
    long bytes = 0;
    for (PreferencePair pair : some) {
      for (byte[] picture : List.of(pair.winner(), pair.loser())) {
        bytes += pictures.add(ByteBuffer.wrap(picture)) ? picture.length : 0;
      }
    }
    double share = (double) pairs / some.size();
    if (settings.stream) { // two windows of blocks at most
      share = Math.min(share, 2.0 * settings.window);
    }
    return new HostData(pairs, settings.cache == null ? (long) (share * bytes) : 0,
        settings.stream ? 0 : pictures.size() / (2.0 * some.size()));
  }

  /** Bytes of one pair as {@code PairEncoder} keeps it, nothing shared with others. */
  static long encodedBytes(EncodedPairs pairs, boolean flips) throws IOException {
    EncodedPair pair = pairs.get(new int[] {0}, new View[] {View.PLAIN}).get(0);
    TextEmbedding text = pair.text();
    long moments = (long) Float.BYTES * (pair.winner().moments().length + pair.loser().moments().length);
    long texts = (long) Float.BYTES * (text.context().length + (text.pooled() == null ? 0 : text.pooled().length));
    return moments * (flips ? 2 : 1) + texts + embedding(pair.winner()) + embedding(pair.loser())
        + (pair.prompt() == null ? 0 : (long) Double.BYTES * pair.prompt().length);
  }

  /** Pictures that are encoded before training. */
  int different() {
    return (int) Math.round(2 * encoded * pairs);
  }

  /** All that stays in memory while the run trains. */
  long bytes(long encodedPair, boolean cached) {
    return pictures + (cached ? pairs * INDEX_BYTES : (long) (pairs * encoded * encodedPair));
  }

  private static long embedding(EncodedImage image) {
    return image.embedding() == null ? 0 : (long) Double.BYTES * image.embedding().length;
  }
}
