package org.diffusionrpo.diffusion.clip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import it.unimi.dsi.fastutil.objects.Object2IntLinkedOpenHashMap;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens and merges of a byte-level BPE tokenizer: the content of {@code vocab.json} and {@code merges.txt}.
 * The place of a merge in the list is its rank.
 */
public final class BpeVocabulary {
  static final String WORD_END = "</w>";
  static final int NONE = -1;

  private static final String VOCAB_FILE = "vocab.json";
  private static final String MERGES_FILE = "merges.txt";
  private static final String HEADER = "#version: 0.2";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Object2IntLinkedOpenHashMap<String> ids;
  private final List<Merge> merges;

  /** Two neighbouring symbols that become one. */
  public record Merge(String left, String right) {
    String joined() {
      return left + right;
    }

    static Merge parse(String line, String where) {
      int space = line.indexOf(' ');
      if (space < 1 || space == line.length() - 1 || line.indexOf(' ', space + 1) >= 0) {
        throw new IllegalArgumentException(where + ": expected two symbols with one space between, got '" + line + "'");
      }
      return new Merge(line.substring(0, space), line.substring(space + 1));
    }
  }

  private BpeVocabulary(Object2IntLinkedOpenHashMap<String> ids, List<Merge> merges) {
    ids.defaultReturnValue(NONE);
    this.ids = ids;
    this.merges = List.copyOf(merges);
  }

  /**
   * The vocabulary in CLIP's order: 256 byte symbols, the same with {@code </w>}, what each merge gives, and the
   * special tokens last.
   */
  public static BpeVocabulary ofMerges(List<Merge> merges, List<String> specials) {
    Object2IntLinkedOpenHashMap<String> ids = new Object2IntLinkedOpenHashMap<>(512 + merges.size() + specials.size());
    for (int i = 0; i < 256; i++) {
      ids.put(ByteSymbols.atId(i), ids.size());
    }
    for (int i = 0; i < 256; i++) {
      ids.put(ByteSymbols.atId(i) + WORD_END, ids.size());
    }
    for (Merge merge : merges) {
      ids.putIfAbsent(merge.joined(), ids.size()); // two merges may give the same token
    }
    for (String special : specials) {
      ids.putIfAbsent(special, ids.size());
    }
    return new BpeVocabulary(ids, merges);
  }

  /** Reads {@code vocab.json} and {@code merges.txt} of a tokenizer folder. */
  public static BpeVocabulary read(Path folder) throws IOException {
    BpeVocabulary vocabulary = new BpeVocabulary(readIds(folder.resolve(VOCAB_FILE)),
        readMerges(folder.resolve(MERGES_FILE)));
    for (Merge merge : vocabulary.merges) {
      for (String token : List.of(merge.left, merge.right, merge.joined())) {
        if (vocabulary.id(token) == NONE) {
          throw new IOException(folder.resolve(MERGES_FILE) + ": the merge '" + merge.left + " " + merge.right
              + "' needs the token '" + token + "', which " + VOCAB_FILE + " does not have");
        }
      }
    }
    return vocabulary;
  }

  /** Writes both files; the folder must exist. */
  public void write(Path folder) throws IOException {
    Map<String, Integer> byId = new LinkedHashMap<>();
    ids.object2IntEntrySet().stream().sorted(Comparator.comparingInt(e -> e.getIntValue()))
        .forEach(e -> byId.put(e.getKey(), e.getIntValue()));
    JSON.writeValue(folder.resolve(VOCAB_FILE).toFile(), byId);
    List<String> lines = new ArrayList<>(merges.size() + 1);
    lines.add(HEADER);
    merges.forEach(merge -> lines.add(merge.left + " " + merge.right));
    Files.writeString(folder.resolve(MERGES_FILE), String.join("\n", lines) + "\n");
  }

  /** The id of a token, or {@link #NONE}. */
  int id(String token) {
    return ids.getInt(token);
  }

  /** The tokens, by id in a vocabulary made by {@link #ofMerges}. */
  List<String> tokens() {
    return List.copyOf(ids.keySet());
  }

  int largestId() {
    return ids.values().intStream().max().orElse(NONE);
  }

  public List<Merge> merges() {
    return merges;
  }

  private static Object2IntLinkedOpenHashMap<String> readIds(Path file) throws IOException {
    try {
      return new Object2IntLinkedOpenHashMap<>(
          JSON.readValue(file.toFile(), new TypeReference<LinkedHashMap<String, Integer>>() {}));
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": expected one JSON object of token to id: " + e.getOriginalMessage(), e);
    }
  }

  private static List<Merge> readMerges(Path file) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": not UTF-8 text", e);
    }
    List<Merge> merges = new ArrayList<>(lines.size());
    // Only the first line can be a header: later lines may hold merges that start with '#'.
    int first = !lines.isEmpty() && lines.get(0).startsWith("#version") ? 1 : 0;
    for (int i = first; i < lines.size(); i++) {
      if (lines.get(i).isEmpty()) {
        continue;
      }
      try {
        merges.add(Merge.parse(lines.get(i), file + ", line " + (i + 1)));
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
    return merges;
  }
}
