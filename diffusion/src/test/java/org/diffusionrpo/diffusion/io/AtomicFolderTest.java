package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFolderTest {
  private static final String MARKER = "index.json";

  @TempDir Path home;

  @Test
  void aSaveReplacesTheEarlierOneAndLeavesNothingElse() throws IOException {
    write("first");
    write("second");
    assertEquals("second", content());
    assertEquals(List.of("model"), names());
  }

  @Test
  void aFailedSaveLeavesTheEarlierOne() throws IOException {
    write("first");
    assertThrows(IOException.class, () -> AtomicFolder.write(home.resolve("model"), MARKER, folder -> {
      Files.writeString(folder.resolve(MARKER), "half");
      throw new IOException("disk full");
    }));
    assertEquals("first", content());
    assertEquals(List.of("model"), names());
  }

  @Test
  void whatSavesThatWereKilledLeftBehindIsClearedAway() throws IOException {
    write("first");
    for (String leftover : List.of(".model.old", ".model.tmp")) {
      Files.createDirectories(home.resolve(leftover).resolve("unet"));
      Files.writeString(home.resolve(leftover).resolve(MARKER), "leftover");
    }
    write("second");
    assertEquals("second", content());
    assertEquals(List.of("model"), names());
  }

  @Test
  void aSaveThatWasKilledBetweenItsRenamesIsRecoveredByTheNext() throws IOException {
    write("first");
    Files.move(home.resolve("model"), home.resolve(".model.old"));
    assertThrows(IOException.class, () -> AtomicFolder.write(home.resolve("model"), MARKER, folder -> {
      throw new IOException("disk full");
    }));
    assertEquals("first", content());
  }

  @Test
  void somebodysFolderIsNotReplaced() throws IOException {
    Path precious = Files.createDirectories(home.resolve("model"));
    Files.writeString(precious.resolve("thesis.tex"), "precious");
    assertThrows(FileAlreadyExistsException.class, () -> write("first"));
    assertEquals("precious", Files.readString(precious.resolve("thesis.tex")));
    assertFalse(Files.exists(home.resolve(".model.tmp")));
  }

  private void write(String text) throws IOException {
    AtomicFolder.write(home.resolve("model"), MARKER, folder -> Files.writeString(folder.resolve(MARKER), text));
  }

  private String content() throws IOException {
    return Files.readString(home.resolve("model").resolve(MARKER));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> children = Files.list(home)) {
      return children.map(path -> path.getFileName().toString()).toList();
    }
  }
}
