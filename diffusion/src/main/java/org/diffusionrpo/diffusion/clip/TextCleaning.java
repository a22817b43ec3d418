package org.diffusionrpo.diffusion.clip;

import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What happens to a prompt before it is cut into pieces. Neither cleaning repairs wrongly decoded text or straightens
 * typographic quotes, as both originals do where the Python package ftfy is installed.
 */
public enum TextCleaning {
  /**
   * transformers' CLIPTokenizer without ftfy: control characters go, CJK ideographs stand alone, NFC, white space
   * collapses, lower case. Stable Diffusion's text encoders are driven by this one.
   */
  TRANSFORMERS {
    @Override public String clean(String text) {
      StringBuilder kept = new StringBuilder(text.length());
      text.codePoints().forEach(c -> appendCleaned(kept, c));
      String composed = Normalizer.normalize(kept, Normalizer.Form.NFC);
      return collapse(composed).toLowerCase(Locale.ROOT);
    }
  },

  /** OpenAI's and OpenCLIP's: HTML entities are replaced twice, white space collapses, lower case. */
  OPENAI {
    @Override public String clean(String text) {
      return collapse(HtmlEntities.unescape(HtmlEntities.unescape(text))).toLowerCase(Locale.ROOT);
    }
  };

  /** Unicode white space and the four separators U+001C .. U+001F, which Python counts too. */
  private static final Pattern WHITE_SPACE = Pattern.compile("[\\s\\x1C-\\x1F]+", Pattern.UNICODE_CHARACTER_CLASS);

  /** The text in lower case, with single spaces and none at its ends. */
  public abstract String clean(String text);

  private static String collapse(String text) {
    String single = WHITE_SPACE.matcher(text).replaceAll(" ");
    int from = single.startsWith(" ") ? 1 : 0;
    int to = single.endsWith(" ") ? single.length() - 1 : single.length();
    return from < to ? single.substring(from, to) : "";
  }

  private static void appendCleaned(StringBuilder kept, int c) {
    if (c == '\t' || c == '\n' || c == '\r' || Character.getType(c) == Character.SPACE_SEPARATOR) {
      kept.append(' ');
    } else if (isIdeograph(c)) {
      kept.append(' ').appendCodePoint(c).append(' ');
    } else if (c != 0xFFFD && !isControl(c)) {
      kept.appendCodePoint(c);
    }
  }

  /**
   * Category C without "unassigned": which characters are unassigned depends on the age of the JVM's Unicode tables,
   * and a newer emoji should not vanish.
   */
  private static boolean isControl(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE -> true;
      default -> false;
    };
  }

  /** The blocks of CJK ideographs that BERT's tokenizer lists; kana and hangul are not among them. */
  private static boolean isIdeograph(int c) {
    return c >= 0x4E00 && c <= 0x9FFF || c >= 0x3400 && c <= 0x4DBF || c >= 0x20000 && c <= 0x2A6DF
        || c >= 0x2A700 && c <= 0x2CEAF || c >= 0xF900 && c <= 0xFAFF || c >= 0x2F800 && c <= 0x2FA1F;
  }
}
