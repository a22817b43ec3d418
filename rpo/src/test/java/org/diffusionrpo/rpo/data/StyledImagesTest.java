package org.diffusionrpo.rpo.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StyledImagesTest {
  @TempDir Path folder;

  @Test void whatIsWrittenIsReadAgain() throws IOException {
    Path file = folder.resolve("small.parquet");
    StyledImage image = new StyledImage("1f600", "sketch", "grinning face", Split.TEST, new byte[] {1, 2, 3});
    StyledImages.write(file, List.of(image));
    StyledImage read = StyledImages.load(file).of(Split.TEST, "sketch").get(0);
    assertEquals("1f600", read.concept());
    assertEquals("grinning face", read.caption());
    assertArrayEquals(image.png(), read.png());
  }

  @Test void aDamagedFileIsNamed() throws IOException {
    Path file = folder.resolve("damaged.parquet");
    Files.write(file, new byte[] {'P', 'A', 'R', '1', 9, 9, 9, 9, 9, 9, 9, 9, 'P', 'A', 'R', '1'});
    IOException error = assertThrows(IOException.class, () -> StyledImages.load(file));
    assertTrue(error.getMessage().startsWith(file + ": not a readable Parquet file"), error.getMessage());
  }

  @Test void aMissingFileIsNamed() {
    Path file = folder.resolve("absent.parquet");
    IOException error = assertThrows(IOException.class, () -> StyledImages.load(file));
    assertEquals(file + ": no such file", error.getMessage());
  }

  @Test void theBundledFileHasFiveStylesOfEachConceptInOneSplit() throws IOException {
    StyledImages bundled = StyledImages.load(BundledData.FILE);
    assertEquals(List.of("fluent", "google", "openmoji", "sketch", "twitter"), bundled.styles());
    assertEquals(1599 * 5, bundled.all().size());
    int[] concepts = {1399, 100, 100};
    for (Split split : Split.values()) {
      assertEquals(concepts[split.ordinal()], bundled.byConcept(split).size());
      bundled.byConcept(split).forEach((concept, styles) -> assertEquals(5, styles.size(), concept));
    }
  }

  @Test void heldOutCaptionsUseOnlyWordsOfTrainingCaptions() throws IOException {
    StyledImages bundled = StyledImages.load(BundledData.FILE);
    Set<String> known = new HashSet<>();
    bundled.of(Split.TRAIN).forEach(image -> known.addAll(List.of(image.caption().split(" "))));
    for (StyledImage image : bundled.all()) {
      assertTrue(known.containsAll(List.of(image.caption().split(" "))), image.caption());
    }
  }
}
