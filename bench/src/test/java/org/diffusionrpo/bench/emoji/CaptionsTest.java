package org.diffusionrpo.bench.emoji;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CaptionsTest {
  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "grinning face with big eyes | grinning face with big eyes",
      "family: man, woman, boy | family man woman boy",
      "keycap: # | keycap number sign",
      "eight o’clock | eight o'clock",
      "piñata | pinata",
      "Japanese “free of charge” button | japanese free of charge button",
      "T-Rex | t rex",
      "A button (blood type) | a button blood type"})
  void namesBecomePlainLowerCase(String name, String caption) {
    assertEquals(caption, Captions.of(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sketch of a cat", "Google", "3D box", "“”"})
  void aCaptionThatNamesAStyleOrNothingIsRefused(String name) {
    assertThrows(IllegalArgumentException.class, () -> Captions.of(name));
  }
}
