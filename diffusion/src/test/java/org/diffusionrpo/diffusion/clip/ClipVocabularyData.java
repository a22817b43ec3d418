package org.diffusionrpo.diffusion.clip;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** CLIP's own vocabulary and the golden ids, from the test resources. */
final class ClipVocabularyData {
  private ClipVocabularyData() {}

  static BpeVocabulary vocabulary() {
    try (InputStream in = open("clip-merges.txt.gz");
        BufferedReader lines = new BufferedReader(
            new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8))) {
      List<BpeVocabulary.Merge> merges = lines.lines().map(l -> BpeVocabulary.Merge.parse(l, "clip-merges")).toList();
      return BpeVocabulary.ofMerges(merges, List.of(TokenizerSettings.BOS, TokenizerSettings.EOS));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode goldenIds() throws IOException {
    try (InputStream in = open("golden-ids.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static InputStream open(String name) {
    return ClipVocabularyData.class.getResourceAsStream(name);
  }
}
