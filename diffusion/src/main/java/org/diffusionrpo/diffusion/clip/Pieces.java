package org.diffusionrpo.diffusion.clip;

import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Cuts cleaned text into the pieces that BPE encodes one by one: special tokens, English contractions, runs of
 * letters, single digits, runs of anything else. White space separates pieces and is dropped.
 */
final class Pieces {
  private final Pattern pattern;

  Pieces(List<String> specials) {
    pattern = Pattern.compile(
        anyOf(specials) + "|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+",
        Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.UNICODE_CHARACTER_CLASS);
  }

  void forEach(String cleaned, Consumer<String> piece) {
    Matcher matcher = pattern.matcher(cleaned);
    while (matcher.find()) {
      piece.accept(matcher.group());
    }
  }

  /** An alternation of literals, the longest first. */
  static String anyOf(List<String> literals) {
    return literals.stream().sorted((a, b) -> b.length() - a.length()).map(Pattern::quote)
        .collect(Collectors.joining("|"));
  }
}
