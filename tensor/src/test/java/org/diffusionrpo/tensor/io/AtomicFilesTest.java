package org.diffusionrpo.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  @TempDir Path folder;

  @Test
  void writesAndReplacesAndMakesTheFolder() throws IOException {
    Path target = folder.resolve("a/b/file.txt");
    AtomicFiles.write(target, "one\u00e9");
    AtomicFiles.write(target, "two\u00e9");
    assertEquals("two\u00e9", Files.readString(target));
    assertEquals(List.of("file.txt"), names(target.getParent()));
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path target = folder.resolve("file.txt");
    AtomicFiles.write(target, "old");
    IOException thrown = assertThrows(IOException.class, () -> AtomicFiles.write(target, out -> {
      out.write('x');
      throw new IOException("disk full");
    }));
    assertEquals("disk full", thrown.getMessage());
    assertEquals("old", Files.readString(target));
    assertEquals(List.of("file.txt"), names(folder));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> list = Files.list(folder)) {
      return list.map(file -> file.getFileName().toString()).toList();
    }
  }
}
