package org.diffusionrpo.bench.emoji;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds, in the unpacked npm packages, the concepts that all five styles draw. */
final class EmojiPackages {
  static final List<String> STYLES = List.of("fluent", "google", "openmoji", "sketch", "twitter");
  private static final String VARIATION_SELECTOR = "fe0f";

  private final Path root;
  private final ObjectMapper json = new ObjectMapper();

  /**
   * Reads below {@code root}, which holds one folder per package.
   *
   * @param root a folder with emoji-datasource-google, emoji-datasource-twitter, fluent-emoji-3d and openmoji
   */
  EmojiPackages(Path root) {
    this.root = root;
  }

  /**
   * The shared concepts without flags, sorted by id. Flags go because a map of names to colour stripes is no concept
   * that a style could draw differently.
   *
   * @param incomplete receives, for each concept that is left out, the styles it lacks
   */
  List<Concept> concepts(Map<String, List<String>> incomplete) throws IOException {
    Map<String, JsonNode> names = openmojiEntries();
    Map<String, Map<String, Path>> styles = new LinkedHashMap<>();
    styles.put("fluent", fluent());
    styles.put("google", datasource("google"));
    styles.put("openmoji", openmoji(names, "color"));
    styles.put("sketch", openmoji(names, "black"));
    styles.put("twitter", datasource("twitter"));

    List<Concept> concepts = new ArrayList<>();
    for (String id : new TreeSet<>(styles.get("google").keySet())) {
      List<String> missing = STYLES.stream().filter(style -> !styles.get(style).containsKey(id)).toList();
      if (!missing.isEmpty()) {
        incomplete.put(id, missing);
        continue;
      }
      JsonNode entry = names.get(id);
      if (!entry.get("group").asText().equals("flags")) {
        Map<String, Path> sources = new TreeMap<>();
        styles.forEach((style, files) -> sources.put(style, files.get(id)));
        String caption = Captions.of(entry.get("annotation").asText());
        concepts.add(new Concept(id, entry.get("subgroups").asText(), caption, sources));
      }
    }
    return concepts;
  }

  /** Only emoji that this vendor draws; the others would show another vendor's picture. */
  private Map<String, Path> datasource(String vendor) throws IOException {
    Path folder = root.resolve("emoji-datasource-" + vendor);
    Map<String, Path> files = new HashMap<>();
    for (JsonNode entry : json.readTree(folder.resolve("emoji.json").toFile())) {
      if (entry.get("has_img_" + vendor).asBoolean() && !entry.get("category").asText().equals("Flags")) {
        Path image = folder.resolve("img/" + vendor + "/64").resolve(entry.get("image").asText());
        files.put(id(entry.get("unified").asText()), image);
      }
    }
    return files;
  }

  /** Two concepts have a second, older file without the variation selector; the fully qualified one wins. */
  private Map<String, Path> fluent() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("fluent-emoji-3d/assets"))) {
      return files.sorted().collect(Collectors.toMap(
          file -> id(file.getFileName().toString().replace(".webp", "")), file -> file,
          (a, b) -> b.toString().length() > a.toString().length() ? b : a));
    }
  }

  private Map<String, Path> openmoji(Map<String, JsonNode> entries, String variant) {
    Map<String, Path> files = new HashMap<>();
    entries.forEach((id, entry) -> {
      Path svg = root.resolve("openmoji/" + variant + "/svg").resolve(entry.get("hexcode").asText() + ".svg");
      if (Files.exists(svg)) {
        files.put(id, svg);
      }
    });
    return files;
  }

  private Map<String, JsonNode> openmojiEntries() throws IOException {
    Map<String, JsonNode> entries = new HashMap<>();
    for (JsonNode entry : json.readTree(root.resolve("openmoji/data/openmoji.json").toFile())) {
      entries.put(id(entry.get("hexcode").asText()), entry);
    }
    return entries;
  }

  /** Packages disagree about the variation selector, so it does not count. */
  private static String id(String hexcode) {
    return Stream.of(hexcode.toLowerCase(Locale.ROOT).split("-"))
        .filter(code -> !code.equals(VARIATION_SELECTOR)).collect(Collectors.joining("-"));
  }
}
