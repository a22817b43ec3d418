package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import org.junit.jupiter.api.Test;

class TextCleaningTest {
  @Test
  void transformersCleaningSetsIdeographsApartAndComposesAccents() {
    assertEquals("日 本 語", transformers("日本語"));
    assertEquals("タワー 東 京", transformers("タワー東京"));
    assertEquals("café", transformers("Cafe\u0301"));
  }

  @Test
  void transformersCleaningDropsControlCharactersAndKeepsEntities() {
    assertEquals("ab c d", transformers("a\u0000b\uFFFD\u200D c\u0007\t\nd"));
    assertEquals("&amp;", transformers("&amp;"));
    assertEquals("a b c", transformers("\u3000a\u00A0b\u2028c "));
  }

  @Test
  void transformersCleaningKeepsCharactersThatAreNewerThanTheJvm() {
    String unassigned = Character.toString(0x1FAFF);
    assertEquals(unassigned, transformers(unassigned));
  }

  @Test
  void openAiCleaningUnescapesTwiceAndKeepsIdeographsTogether() {
    assertEquals("<b> & 日本語", openAi("&amp;lt;B&amp;gt; &amp;  日本語\n"));
    assertEquals("a b", openAi("\u001C a\u001D\u0085b "));
  }

  @Test
  void bothCleaningsGiveNothingForWhiteSpace() {
    for (TextCleaning cleaning : TextCleaning.values()) {
      assertEquals("", cleaning.clean(""));
      assertEquals("", cleaning.clean(" \t "));
    }
  }

  @Test
  void lowerCaseDoesNotDependOnTheDefaultLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("tr"));
      assertEquals("india", transformers("INDIA"));
      assertEquals("india", openAi("INDIA"));
    } finally {
      Locale.setDefault(before);
    }
  }

  private static String transformers(String text) {
    return TextCleaning.TRANSFORMERS.clean(text);
  }

  private static String openAi(String text) {
    return TextCleaning.OPENAI.clean(text);
  }
}
