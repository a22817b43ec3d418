package org.diffusionrpo.rpo.data;

import static org.diffusionrpo.rpo.data.TestPairs.BLUE;
import static org.diffusionrpo.rpo.data.TestPairs.RED;
import static org.diffusionrpo.rpo.data.TestPairs.read;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderPairsTest {
  @TempDir Path folder;
  private final LoadReport report = new LoadReport();

  @BeforeEach void makeFolders() throws IOException {
    Files.createDirectories(folder.resolve("winners"));
    Files.createDirectories(folder.resolve("losers"));
  }

  private void pair(String winner, String loser) throws IOException {
    Files.write(folder.resolve("winners").resolve(winner), RED);
    Files.write(folder.resolve("losers").resolve(loser), BLUE);
  }

  @Test void equalNamesArePairsAndTextFilesAreCaptions() throws IOException {
    pair("a_red_dot.png", "a_red_dot.png");
    pair("b.png", "b.PNG");
    Files.writeString(folder.resolve("winners/b.txt"), "from winners\n");
    pair("c.png", "c.png");
    Files.writeString(folder.resolve("c.txt"), " from the folder ");
    Files.writeString(folder.resolve("losers/c.txt"), "from losers");
    List<PreferencePair> pairs = read(folder, report);
    assertEquals(List.of("a red dot", "from winners", "from the folder"),
        pairs.stream().map(PreferencePair::caption).toList());
    assertArrayEquals(RED, pairs.get(1).winner());
    assertArrayEquals(BLUE, pairs.get(1).loser());
  }

  @Test void anImageWithoutPartnerIsSkippedAndNamed() throws IOException {
    pair("a.png", "b.png");
    assertEquals(List.of(), read(folder, report));
    assertEquals(List.of("a: no image in " + folder.resolve("losers"), "b: no image in " + folder.resolve("winners")),
        report.missingNames());
  }

  @Test void aCaptionThatIsNotUtf8IsNamed() throws IOException {
    pair("a.png", "a.png");
    Path caption = Files.write(folder.resolve("a.txt"), new byte[] {'r', (byte) 0xe9, 'd'});
    IOException error = assertThrows(IOException.class, () -> read(folder, report));
    assertEquals(caption + ": is not UTF-8 text", error.getMessage());
  }

  @Test void twoImagesOfOneNameAreRefused() throws IOException {
    pair("a.png", "a.png");
    Files.write(folder.resolve("winners/a.webp"), RED);
    IOException error = assertThrows(IOException.class, () -> read(folder, report));
    assertEquals(folder.resolve("winners") + ": a.png and a.webp would be the same pair", error.getMessage());
  }

  @Test void anEmptyFolderIsRefused() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    IOException error = assertThrows(IOException.class, () -> read(empty, report));
    assertEquals(empty + ": holds neither *.parquet files nor the folders winners and losers", error.getMessage());
  }
}
