package org.diffusionrpo.rpo.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class StyledPairsTest {
  /** Every eleventh image keeps the test fast and, prime to the number of styles, meets all of them. */
  private static final int SAMPLING = 11;

  private static StyledImages bundled;

  @BeforeAll static void load() throws IOException {
    bundled = StyledImages.load(BundledData.FILE);
  }

  private static List<String> ids(List<PreferencePair> pairs) {
    return pairs.stream().map(PreferencePair::id).toList();
  }

  @Test void theWinnerIsTheConceptInThePreferredStyle() {
    Map<String, Map<String, StyledImage>> concepts = bundled.byConcept(Split.TEST);
    List<PreferencePair> pairs = StyledPairs.form(bundled, Split.TEST, "sketch", 1, 1);
    assertEquals(concepts.size(), pairs.size());
    Set<String> losingStyles = new HashSet<>();
    for (PreferencePair pair : pairs) {
      Map<String, StyledImage> styles = concepts.get(pair.id().substring(0, pair.id().indexOf(':')));
      String loser = pair.id().substring(pair.id().indexOf('>') + 1);
      assertSame(styles.get("sketch").png(), pair.winner());
      assertSame(styles.get(loser).png(), pair.loser());
      assertEquals(styles.get("google").caption(), pair.caption());
      losingStyles.add(loser);
    }
    assertEquals(Set.of("fluent", "google", "openmoji", "twitter"), losingStyles);
  }

  @Test void allOtherStylesLoseWhenAsked() {
    List<PreferencePair> pairs = StyledPairs.form(bundled, Split.VALIDATION, "fluent", 4, 9);
    assertEquals(400, pairs.size());
    assertEquals(400, new HashSet<>(ids(pairs)).size());
  }

  @Test void pairsAreAFunctionOfTheSeed() {
    List<String> first = ids(StyledPairs.form(bundled, Split.TRAIN, "sketch", 2, 5));
    assertEquals(first, ids(StyledPairs.form(bundled, Split.TRAIN, "sketch", 2, 5)));
    assertNotEquals(first, ids(StyledPairs.form(bundled, Split.TRAIN, "sketch", 2, 6)));
  }

  @Test void anUnknownStyleOrCountIsRefused() {
    IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
        () -> StyledPairs.form(bundled, Split.TRAIN, "cubist", 1, 1));
    assertEquals("style 'cubist': expected one of fluent, google, openmoji, sketch, twitter", error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> StyledPairs.form(bundled, Split.TRAIN, "sketch", 5, 1));
    assertThrows(IllegalArgumentException.class, () -> StyledPairs.form(bundled, Split.TRAIN, "sketch", 0, 1));
  }

  @Test void bundledImagesAreDrawingsOnWhite() throws IOException {
    for (int i = 0; i < bundled.all().size(); i += SAMPLING) {
      StyledImage image = bundled.all().get(i);
      RgbImage picture = ImageCodec.decode(image.png(), image.concept() + " " + image.style());
      assertEquals(64, picture.width());
      assertEquals(64, picture.height());
      long ink = 0;
      for (byte value : picture.rgb()) {
        ink += 255 - (value & 0xff);
      }
      double share = ink / (255.0 * picture.rgb().length);
      assertTrue(share > 0.001 && share < 0.95, image.concept() + " " + image.style() + ": ink " + share);
    }
  }
}
