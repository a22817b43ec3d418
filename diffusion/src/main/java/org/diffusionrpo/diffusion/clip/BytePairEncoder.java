package org.diffusionrpo.diffusion.clip;

import it.unimi.dsi.fastutil.ints.IntList;
import it.unimi.dsi.fastutil.longs.Long2LongOpenHashMap;
import java.nio.charset.StandardCharsets;

/**
 * Byte-pair encoding of one piece of text. Sennrich et al. 2016, arXiv:1508.07909, section 3.2, on UTF-8 bytes.
 * The piece starts as its bytes' symbols, the last one marked as a word's end; the neighbours of lowest rank are
 * joined, all occurrences from left to right, until no pair has a rank.
 */
final class BytePairEncoder {
  private static final long NO_MERGE = Long.MAX_VALUE;

  /** (left id, right id) -> (rank, joined id), two ints in a long each; the smaller value is the lower rank. */
  private final Long2LongOpenHashMap mergeOf;
  private final int[] innerSymbol = new int[256];
  private final int[] lastSymbol = new int[256];

  BytePairEncoder(BpeVocabulary vocabulary) {
    mergeOf = new Long2LongOpenHashMap(vocabulary.merges().size());
    mergeOf.defaultReturnValue(NO_MERGE);
    int rank = 0;
    for (BpeVocabulary.Merge merge : vocabulary.merges()) {
      long pair = pack(vocabulary.id(merge.left()), vocabulary.id(merge.right()));
      mergeOf.putIfAbsent(pair, pack(rank++, vocabulary.id(merge.joined())));
    }
    for (int b = 0; b < 256; b++) {
      innerSymbol[b] = vocabulary.id(ByteSymbols.of(b));
      lastSymbol[b] = vocabulary.id(ByteSymbols.of(b) + BpeVocabulary.WORD_END);
    }
  }

  /** Appends the ids of a piece of at least one character; {@code unknown} stands for symbols without an id. */
  void encode(IntList ids, String piece, int unknown) {
    int[] symbols = symbols(piece);
    int length = symbols.length;
    for (long best = lowest(symbols, length); best != NO_MERGE; best = lowest(symbols, length)) {
      length = join(symbols, length, best);
    }
    for (int i = 0; i < length; i++) {
      ids.add(symbols[i] == BpeVocabulary.NONE ? unknown : symbols[i]);
    }
  }

  /** The ids of a piece's byte symbols before any merge. */
  int[] symbols(String piece) {
    byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
    int last = bytes.length - 1;
    int[] symbols = new int[bytes.length];
    for (int i = 0; i < last; i++) {
      symbols[i] = innerSymbol[bytes[i] & 0xFF];
    }
    symbols[last] = lastSymbol[bytes[last] & 0xFF];
    return symbols;
  }

  static long pack(int high, int low) {
    return (long) high << 32 | low & 0xFFFFFFFFL;
  }

  private long lowest(int[] symbols, int length) {
    long best = NO_MERGE;
    for (int i = 0; i + 1 < length; i++) {
      best = Math.min(best, mergeOf.get(pack(symbols[i], symbols[i + 1])));
    }
    return best;
  }

  private int join(int[] symbols, int length, long merge) {
    int kept = 0;
    for (int i = 0; i < length; kept++) {
      if (i + 1 < length && mergeOf.get(pack(symbols[i], symbols[i + 1])) == merge) {
        symbols[kept] = (int) merge;
        i += 2;
      } else {
        symbols[kept] = symbols[i++];
      }
    }
    return kept;
  }
}
