package org.diffusionrpo.diffusion.clip;

import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * CLIP's lower-cased byte-level BPE tokenizer. Radford et al. 2021, arXiv:2103.00020, section 2.4. Text is cleaned,
 * cut into {@link Pieces} and each piece is encoded by {@link BytePairEncoder}; the result is BOS, content, EOS and
 * padding. Immutable.
 *
 * <p>Added tokens are split off the raw text first, as transformers does. SDXL's second tokenizer pads with {@code !}
 * and so makes it an added token: there every {@code !} of a prompt becomes its pad id 0, not the word {@code !</w>}.
 * {@link #withAddedTokens} switches that off.
 */
public final class ClipTokenizer {
  private final BpeVocabulary vocabulary;
  private final BytePairEncoder encoder;
  private final TokenizerSettings settings;
  private final TextCleaning cleaning;
  private final boolean splitAddedTokens;

  private final Pieces pieces;
  private final Map<String, Integer> specialIds;
  private final Pattern added;
  private final int bos;
  private final int eos;
  private final int unknown;
  private final int pad;

  /** With transformers' cleaning and the added tokens of the settings. */
  public ClipTokenizer(BpeVocabulary vocabulary, TokenizerSettings settings) {
    this(vocabulary, new BytePairEncoder(vocabulary), settings, TextCleaning.TRANSFORMERS, true);
  }

  private ClipTokenizer(BpeVocabulary vocabulary, BytePairEncoder encoder, TokenizerSettings settings,
      TextCleaning cleaning, boolean splitAddedTokens) {
    this.vocabulary = vocabulary;
    this.encoder = encoder;
    this.settings = settings;
    this.cleaning = cleaning;
    this.splitAddedTokens = splitAddedTokens;
    pieces = new Pieces(List.of(settings.bos(), settings.eos()));
    bos = id("bos_token", settings.bos());
    eos = id("eos_token", settings.eos());
    unknown = id("unk_token", settings.unknown());
    pad = id("pad_token", settings.pad());
    specialIds = new HashMap<>(settings.addedTokens());
    specialIds.put(settings.bos(), bos);
    specialIds.put(settings.eos(), eos);
    specialIds.put(settings.unknown(), unknown);
    specialIds.put(settings.pad(), pad);
    added = Pattern.compile(Pieces.anyOf(List.copyOf(specialIds.keySet())));
  }

  /**
   * Reads a diffusers tokenizer folder: {@code vocab.json}, {@code merges.txt} and, where they exist,
   * {@code tokenizer_config.json} and {@code special_tokens_map.json}.
   */
  public static ClipTokenizer load(Path folder) throws IOException {
    BpeVocabulary vocabulary = BpeVocabulary.read(folder);
    TokenizerSettings settings = TokenizerSettings.read(folder);
    try {
      return new ClipTokenizer(vocabulary, settings);
    } catch (IllegalArgumentException e) {
      throw new IOException(folder + ": " + e.getMessage(), e);
    }
  }

  /** Writes the four files that {@link #load} reads. */
  public void save(Path folder) throws IOException {
    Files.createDirectories(folder);
    vocabulary.write(folder);
    settings.write(folder);
  }

  public ClipTokenizer withCleaning(TextCleaning other) {
    return new ClipTokenizer(vocabulary, encoder, settings, other, splitAddedTokens);
  }

  /** Whether added tokens are split off the raw text (the default) or only BOS and EOS are known. */
  public ClipTokenizer withAddedTokens(boolean split) {
    return new ClipTokenizer(vocabulary, encoder, settings, cleaning, split);
  }

  /** BOS, content, EOS and padding, {@link #maxLength} ids in all; content that does not fit is cut off. */
  public TokenIds encode(String text) {
    int[] content = contentIds(text);
    int kept = Math.min(content.length, maxLength() - 2);
    int[] ids = new int[maxLength()];
    ids[0] = bos;
    System.arraycopy(content, 0, ids, 1, kept);
    ids[kept + 1] = eos;
    Arrays.fill(ids, kept + 2, ids.length, pad);
    return new TokenIds(ids, kept + 2, kept < content.length);
  }

  /** Ids [N, maxLength] of N prompts, row-major: what an embedding takes. */
  public int[] encodeBatch(List<String> texts) {
    int[] ids = new int[texts.size() * maxLength()];
    for (int n = 0; n < texts.size(); n++) {
      System.arraycopy(encode(texts.get(n)).ids(), 0, ids, n * maxLength(), maxLength());
    }
    return ids;
  }

  /** All ids of a text, without BOS, EOS and padding. */
  public int[] contentIds(String text) {
    IntArrayList ids = new IntArrayList();
    int from = 0;
    if (splitAddedTokens) {
      for (Matcher token = added.matcher(text); token.find(); from = token.end()) {
        encodePieces(ids, text.substring(from, token.start()));
        ids.add((int) specialIds.get(token.group()));
      }
    }
    encodePieces(ids, text.substring(from));
    return ids.toIntArray();
  }

  private void encodePieces(IntArrayList ids, String text) {
    pieces.forEach(cleaning.clean(text), piece -> {
      if (piece.equalsIgnoreCase(settings.bos())) {
        ids.add(bos);
      } else if (piece.equalsIgnoreCase(settings.eos())) {
        ids.add(eos);
      } else {
        encoder.encode(ids, piece, unknown);
      }
    });
  }

  private int id(String role, String token) {
    int id = vocabulary.id(token);
    if (id == BpeVocabulary.NONE) {
      id = settings.addedTokens().getOrDefault(token, BpeVocabulary.NONE);
    }
    if (id == BpeVocabulary.NONE) {
      throw new IllegalArgumentException("the vocabulary has no " + role + " '" + token + "'");
    }
    return id;
  }

  public BpeVocabulary vocabulary() {
    return vocabulary;
  }

  /** Context of the text encoder in tokens. */
  public int maxLength() {
    return settings.maxLength();
  }

  /** Rows that the token embedding needs: one more than the largest id. */
  public int vocabularySize() {
    return Stream.concat(Stream.of(vocabulary.largestId()), settings.addedTokens().values().stream())
        .max(Integer::compare).orElseThrow() + 1;
  }

  public int bosId() {
    return bos;
  }

  /** The id whose first position the text encoder pools. */
  public int eosId() {
    return eos;
  }

  public int padId() {
    return pad;
  }
}
