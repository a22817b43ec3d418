package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
  @TempDir Path folder;

  @Test
  void whatWasWrittenIsReadAndWhatWasDeletedIsGone() {
    CacheFolder cache = new CacheFolder(folder.resolve("new"));
    assertNull(cache.read("kernels/a"));
    cache.write("kernels/a", new byte[] {1, 2});
    assertArrayEquals(new byte[] {1, 2}, cache.read("kernels/a"));
    cache.delete("kernels/a");
    assertNull(cache.read("kernels/a"));
  }

  @Test
  void aFolderThatCannotBeWrittenToIsDoneWithout() throws IOException {
    CacheFolder cache = new CacheFolder(Files.createFile(folder.resolve("file")));
    cache.write("kernels/a", new byte[1]);
    assertNull(cache.read("kernels/a"));
    cache.delete("kernels/a");
  }

  @Test
  void writersAtTheSameTimeLeaveOneWholeFile() throws IOException {
    CacheFolder cache = new CacheFolder(folder);
    IntStream.range(0, 64).parallel().forEach(i -> {
      byte[] bytes = new byte[100_000];
      Arrays.fill(bytes, (byte) i);
      cache.write("shared", bytes);
      byte[] seen = cache.read("shared");
      assertEquals(100_000, seen.length);
      for (byte each : seen) {
        assertEquals(seen[0], each);
      }
    });
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(folder.resolve("shared")), files.toList());
    }
  }

  @Test
  void theStandardFolderFollowsTheUser() {
    assertTrue(CacheFolder.open().resolve("x").endsWith(Path.of("diffusion-rpo", "x")));
  }
}
