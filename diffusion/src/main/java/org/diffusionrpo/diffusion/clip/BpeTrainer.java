package org.diffusionrpo.diffusion.clip;

import it.unimi.dsi.fastutil.longs.Long2LongMap;
import it.unimi.dsi.fastutil.longs.Long2LongOpenHashMap;
import it.unimi.dsi.fastutil.objects.Object2IntOpenHashMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Learns a small CLIP vocabulary from captions. Sennrich et al. 2016, arXiv:1508.07909, algorithm 1: the most frequent
 * pair of neighbouring symbols becomes a symbol, again and again. Ties go to the pair with the smaller ids (left, then
 * right), so the result depends on the captions alone, not on their order.
 */
public final class BpeTrainer {
  /** Byte symbols, the same at a word's end, BOS and EOS. */
  private static final int FIXED_TOKENS = 2 * 256 + 2;
  /** A pair seen once spares one token in one caption and teaches nothing. */
  private static final int MIN_COUNT = 2;

  private final List<int[]> words = new ArrayList<>();
  private final List<Integer> wordCounts = new ArrayList<>();
  /** Tokens by id. */
  private final List<String> tokens = new ArrayList<>();
  private final Long2LongOpenHashMap pairCounts = new Long2LongOpenHashMap();

  private BpeTrainer(List<String> captions) {
    BpeVocabulary bytes = BpeVocabulary.ofMerges(List.of(), List.of());
    tokens.addAll(bytes.tokens());
    BytePairEncoder encoder = new BytePairEncoder(bytes);
    Object2IntOpenHashMap<String> counts = new Object2IntOpenHashMap<>();
    Pieces pieces = new Pieces(List.of(TokenizerSettings.BOS, TokenizerSettings.EOS));
    for (String caption : captions) {
      pieces.forEach(TextCleaning.TRANSFORMERS.clean(caption), piece -> counts.addTo(piece, 1));
    }
    counts.removeInt(TokenizerSettings.BOS);
    counts.removeInt(TokenizerSettings.EOS);
    counts.forEach((piece, count) -> {
      words.add(encoder.symbols(piece));
      wordCounts.add(count);
      countPairs(words.size() - 1, count);
    });
  }

  /**
   * Learns a tokenizer that pads with EOS.
   *
   * @param vocabularySize tokens in all; the result is smaller where the captions hold too few repeated pairs
   * @param maxLength context of the text encoder in tokens
   */
  public static ClipTokenizer train(List<String> captions, int vocabularySize, int maxLength) {
    if (vocabularySize < FIXED_TOKENS) {
      throw new IllegalArgumentException("a byte-level vocabulary has at least " + FIXED_TOKENS + " tokens, asked for "
          + vocabularySize);
    }
    List<BpeVocabulary.Merge> merges = new BpeTrainer(captions).learn(vocabularySize - 2);
    List<String> specials = List.of(TokenizerSettings.BOS, TokenizerSettings.EOS);
    return new ClipTokenizer(BpeVocabulary.ofMerges(merges, specials), TokenizerSettings.clip(maxLength));
  }

  private List<BpeVocabulary.Merge> learn(int tokenLimit) {
    List<BpeVocabulary.Merge> merges = new ArrayList<>();
    while (tokens.size() < tokenLimit) {
      long pair = mostFrequentPair();
      if (pairCounts.get(pair) < MIN_COUNT) {
        break;
      }
      BpeVocabulary.Merge merge = new BpeVocabulary.Merge(tokens.get(left(pair)), tokens.get(right(pair)));
      merges.add(merge);
      join(pair, tokens.size());
      tokens.add(merge.joined());
    }
    return merges;
  }

  private long mostFrequentPair() {
    long best = 0;
    long bestCount = 0;
    for (Long2LongMap.Entry e : pairCounts.long2LongEntrySet()) {
      long count = e.getLongValue();
      if (count > bestCount || count == bestCount && e.getLongKey() < best) {
        best = e.getLongKey();
        bestCount = count;
      }
    }
    return best;
  }

  private void join(long pair, int joined) {
    for (int w = 0; w < words.size(); w++) {
      int[] word = words.get(w);
      if (contains(word, pair)) {
        countPairs(w, -wordCounts.get(w));
        words.set(w, joined(word, pair, joined));
        countPairs(w, wordCounts.get(w));
      }
    }
  }

  private static boolean contains(int[] word, long pair) {
    for (int i = 0; i + 1 < word.length; i++) {
      if (BytePairEncoder.pack(word[i], word[i + 1]) == pair) {
        return true;
      }
    }
    return false;
  }

  private static int[] joined(int[] word, long pair, int joined) {
    int[] result = new int[word.length];
    int length = 0;
    for (int i = 0; i < word.length; length++) {
      boolean match = i + 1 < word.length && BytePairEncoder.pack(word[i], word[i + 1]) == pair;
      result[length] = match ? joined : word[i];
      i += match ? 2 : 1;
    }
    return Arrays.copyOf(result, length);
  }

  private void countPairs(int w, int change) {
    int[] word = words.get(w);
    for (int i = 0; i + 1 < word.length; i++) {
      long pair = BytePairEncoder.pack(word[i], word[i + 1]);
      if (pairCounts.addTo(pair, change) + change == 0) {
        pairCounts.remove(pair);
      }
    }
  }

  private static int left(long pair) {
    return (int) (pair >>> 32);
  }

  private static int right(long pair) {
    return (int) pair;
  }
}
