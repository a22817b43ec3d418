package org.diffusionrpo.bench.emoji;

import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Turns a Unicode name into a caption: lower case, ASCII letters, digits and apostrophes, single spaces. */
final class Captions {
  /** Words that would tell the style; the preference is about style, so a prompt must leave it open. */
  private static final Set<String> STYLE_WORDS = Set.of("google", "noto", "android", "twitter", "twemoji", "fluent",
      "microsoft", "openmoji", "sketch", "drawing", "outline", "3d", "emoji");

  private Captions() {}

  static String of(String name) {
    String ascii = Normalizer.normalize(name, Normalizer.Form.NFD).replaceAll("\\p{M}", "");
    String caption = ascii.toLowerCase(Locale.ROOT)
        .replace("#", "number sign").replace("*", "asterisk").replace('’', '\'').replace('-', ' ')
        .replaceAll("[^a-z0-9' ]", "").strip().replaceAll(" +", " ");
    if (caption.isEmpty()) {
      throw new IllegalArgumentException("'" + name + "' leaves an empty caption");
    }
    for (String word : words(caption)) {
      if (STYLE_WORDS.contains(word)) {
        throw new IllegalArgumentException("the caption '" + caption + "' names a style");
      }
    }
    return caption;
  }

  static List<String> words(String caption) {
    return List.of(caption.split(" "));
  }
}
