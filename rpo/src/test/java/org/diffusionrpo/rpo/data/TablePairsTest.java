package org.diffusionrpo.rpo.data;

import static org.diffusionrpo.rpo.data.TestPairs.BLUE;
import static org.diffusionrpo.rpo.data.TestPairs.RED;
import static org.diffusionrpo.rpo.data.TestPairs.read;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TablePairsTest {
  @TempDir Path folder;
  private final LoadReport report = new LoadReport();

  @BeforeEach void writeImages() throws IOException {
    Files.createDirectories(folder.resolve("images"));
    Files.write(folder.resolve("images/red.png"), RED);
    Files.write(folder.resolve("images/blue, light.png"), BLUE);
    Files.writeString(folder.resolve("images/broken.png"), "no image");
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private void assertRedWins(PreferencePair pair, String caption) {
    assertArrayEquals(RED, pair.winner());
    assertArrayEquals(BLUE, pair.loser());
    assertEquals(caption, pair.caption());
  }

  @Test void jsonLinesNamePathsRelativeToTheFile() throws IOException {
    Path file = write("pairs.jsonl", """
        {"prompt": "a dot", "chosen": "images/red.png", "rejected": "images/blue, light.png", "extra": [1]}

        {"Caption": "größer", "WINNER": "images/red.png", "loser": "images/blue, light.png"}
        """);
    List<PreferencePair> pairs = read(file, report);
    assertRedWins(pairs.get(0), "a dot");
    assertRedWins(pairs.get(1), "größer");
    assertEquals("pairs.jsonl:3", pairs.get(1).id());
  }

  @Test void csvFieldsMayBeQuoted() throws IOException {
    Path file = write("pairs.csv", "\ufeffcaption,winner,loser\r\n"
        + "\"a \"\"big\"\" dot,\nred\",images/red.png,\"images/blue, light.png\"\r\n"
        + "plain,images/red.png,\"images/blue, light.png\"\n");
    List<PreferencePair> pairs = read(file, report);
    assertRedWins(pairs.get(0), "a \"big\" dot,\nred");
    assertEquals("pairs.csv:2", pairs.get(0).id());
    assertEquals("pairs.csv:4", pairs.get(1).id());
  }

  @Test void tabsSeparateInTsv() throws IOException {
    Path file = write("pairs.tsv", "text\tpreferred\tdispreferred\na dot\timages/red.png\timages/blue, light.png\n");
    assertRedWins(read(file, report).get(0), "a dot");
  }

  @Test void aLabelDecidesBetweenNumberedImages() throws IOException {
    Path file = write("pairs.jsonl", """
        {"caption": "a", "image_0": "images/blue, light.png", "image_1": "images/red.png", "label_0": 0}
        {"caption": "b", "image_0": "images/blue, light.png", "image_1": "images/red.png", "label_0": 0.5}
        """);
    List<PreferencePair> pairs = read(file, report);
    assertRedWins(pairs.get(0), "a");
    assertEquals(1, pairs.size());
    assertEquals(1, report.ties());
  }

  @Test void missingAndBrokenImagesAreSkippedCountedAndNamed() throws IOException {
    Path file = write("pairs.jsonl", """
        {"caption": "a", "winner": "images/red.png", "loser": "images/absent.png"}
        {"caption": "b", "winner": "images/broken.png", "loser": "images/red.png"}
        {"caption": "c", "winner": "images/red.png", "loser": "images/blue, light.png"}
        """);
    assertEquals(1, read(file, report).size());
    assertEquals(List.of("pairs.jsonl:1: no file " + folder.resolve("images/absent.png")), report.missingNames());
    assertEquals(1, report.unreadable());
    assertTrue(report.unreadableNames().get(0).startsWith("pairs.jsonl:2 (winner): not an image"), report.toString());
  }

  @Test void aRowWithNullIsSkippedCountedAndNamed() throws IOException {
    Path file = write("pairs.jsonl", """
        {"caption": null, "winner": "images/red.png", "loser": "images/blue, light.png"}
        {"caption": "b", "winner": "images/red.png", "loser": null}
        {"caption": "c", "image_0": "images/red.png", "image_1": "images/blue, light.png", "label_0": null}
        {"caption": null, "text": "d", "winner": "images/red.png", "loser": "images/blue, light.png", "label_0": null}
        """);
    assertRedWins(read(file, report).get(0), "d");
    assertEquals(List.of("pairs.jsonl:1: a field is null", "pairs.jsonl:2: a field is null",
        "pairs.jsonl:3: a field is null"), report.missingNames());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "a.jsonl | {\"caption\": \"a\" | :1: not JSON",
      "b.jsonl | [1, 2] | :1: expected a JSON object",
      "c.jsonl | {\"caption\": \"a\"} | :1: has no field winner or chosen or preferred",
      "d.csv | `caption,winner,loser\na,b` | :2: has 2 fields, the header 3",
      "e.csv | `caption,winner,loser\n\"a,b,c` | :2: a quoted field does not end",
      "f.csv | `` | : is empty; expected a header line",
      "g.csv | `winner,loser\nimages/red.png,images/red.png` | :2: has no field caption or prompt or text",
      "h.csv | `caption,image_0,image_1,label_0\na,images/red.png,images/red.png,x` | :2: label_0 is 'x'",
      "i.json | {} | : unknown kind of data"})
  void aMalformedTableGivesOneErrorWithItsPlace(String name, String text, String fault) throws IOException {
    Path file = write(name, text == null ? "" : text);
    IOException error = assertThrows(IOException.class, () -> read(file, report));
    assertTrue(error.getMessage().startsWith(file + fault), error.getMessage());
  }

  @Test void textThatIsNotUtf8IsRefused() throws IOException {
    Path file = folder.resolve("latin.csv");
    Files.write(file, new byte[] {'c', (byte) 0xe9, '\n'});
    assertEquals(file + ": is not UTF-8 text", assertThrows(IOException.class, () -> read(file, report)).getMessage());
  }
}
