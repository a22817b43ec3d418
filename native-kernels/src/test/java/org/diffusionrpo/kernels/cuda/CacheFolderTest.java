package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
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
    assertEquals(List.of("shared"), names(folder));
  }

  @Test
  void aShortOrChangedFileIsAsIfItWasNotThere() throws IOException {
    CacheFolder cache = new CacheFolder(folder);
    byte[] cubin = {0x7F, 'E', 'L', 'F', 1, 2, 3, 4};
    cache.write("kernel", cubin);
    byte[] whole = Files.readAllBytes(folder.resolve("kernel"));
    for (int length = 0; length < whole.length; length++) {
      Files.write(folder.resolve("kernel"), Arrays.copyOf(whole, length));
      assertNull(cache.read("kernel"), length + " bytes");
      Files.write(folder.resolve("kernel"), Arrays.copyOf(Arrays.copyOf(whole, length), whole.length)); // a lost block
      assertNull(cache.read("kernel"), length + " bytes and zeros");
    }
    Files.write(folder.resolve("kernel"), cubin); // by a version that kept no hash
    assertNull(cache.read("kernel"));
    cache.write("kernel", cubin);
    assertArrayEquals(cubin, cache.read("kernel"));
  }

  @Test
  void whatIsReplacedOrLongUnusedIsDeleted() throws IOException {
    CacheFolder cache = new CacheFolder(folder);
    for (String name : List.of("add-sm_80-nvrtc12.6-old", "add-sm_86-nvrtc12.6-old", "add-sm_90-nvrtc12.6-used",
        "add_all-sm_80-nvrtc12.6-old", "sub-sm_80-nvrtc12.4-unused", ".sub123.part", ".sub456.part")) {
      cache.write(name, new byte[1]);
    }
    for (String name : List.of("sub-sm_80-nvrtc12.4-unused", ".sub123.part", "add-sm_90-nvrtc12.6-used")) {
      Files.setLastModifiedTime(folder.resolve(name), FileTime.from(Instant.now().minus(Duration.ofDays(100))));
    }
    cache.read("add-sm_90-nvrtc12.6-used");
    cache.write("add-sm_80-nvrtc12.6-new", new byte[1]);
    assertEquals(List.of(".sub456.part", "add-sm_80-nvrtc12.6-new", "add-sm_86-nvrtc12.6-old",
        "add-sm_90-nvrtc12.6-used", "add_all-sm_80-nvrtc12.6-old"), names(folder));
  }

  @Test
  void theStandardFolderFollowsTheUser() {
    assertTrue(CacheFolder.open().paths().get(0).endsWith("diffusion-rpo"));
  }

  @Test
  void aUserWithoutAHomeHasOneFolderForTemporaryFiles() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    withProperties(file.toString(), temporary.toString(), () -> {
      CacheFolder.open().write("kernels/a", new byte[] {1});
      assertArrayEquals(new byte[] {1}, CacheFolder.open().read("kernels/a"));
    });
    assertEquals(1, names(temporary).size());
    Path own = temporary.resolve(names(temporary).get(0));
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx")); // anybody could have written
    withProperties(file.toString(), temporary.toString(), () -> assertNull(CacheFolder.open().read("kernels/a")));
  }

  @Test
  void anUnknownHomeIsNoFolder() {
    String home = System.setProperty("user.home", "?");
    try {
      assertTrue(System.getenv("XDG_CACHE_HOME") != null || UserFolders.cache() == null);
    } finally {
      System.setProperty("user.home", home);
    }
  }

  private static void withProperties(String chosen, String temporary, Runnable test) {
    String before = System.setProperty("java.io.tmpdir", temporary);
    System.setProperty(CacheFolder.PROPERTY, chosen);
    try {
      test.run();
    } finally {
      System.clearProperty(CacheFolder.PROPERTY);
      System.setProperty("java.io.tmpdir", before);
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
