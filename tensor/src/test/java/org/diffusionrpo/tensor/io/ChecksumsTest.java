package org.diffusionrpo.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChecksumsTest {
  @TempDir Path folder;

  @BeforeEach
  void writeFolder() throws IOException {
    AtomicFiles.write(folder.resolve("unet/weights.bin"), "abc");
    AtomicFiles.write(folder.resolve("state.json"), "");
    Files.writeString(folder.resolve(".hidden"), "ignored");
    Checksums.write(folder);
  }

  @Test
  void listIsThatOfSha256sum() throws IOException { // FIPS 180-4: the digests of "" and "abc"
    assertEquals("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  state.json\n"
        + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  unet/weights.bin\n",
        Files.readString(folder.resolve(Checksums.FILE_NAME)));
  }

  @Test
  void aWholeFolderIsAcceptedAndWritingAgainChangesNothing() throws IOException {
    String first = Files.readString(folder.resolve(Checksums.FILE_NAME));
    Checksums.verify(folder);
    Checksums.write(folder);
    assertEquals(first, Files.readString(folder.resolve(Checksums.FILE_NAME)));
  }

  @Test
  void aChangedFileIsNamed() throws IOException {
    Files.writeString(folder.resolve("unet/weights.bin"), "abd");
    assertFault("weights.bin: has changed");
  }

  @Test
  void aMissingFileIsNamed() throws IOException {
    Files.delete(folder.resolve("state.json"));
    assertFault("state.json: is missing");
  }

  @Test
  void aFolderWithoutListIsIncomplete() throws IOException {
    Files.delete(folder.resolve(Checksums.FILE_NAME));
    assertFault("has no SHA256SUMS");
  }

  @Test
  void aListThatLeavesTheFolderIsRefused() throws IOException {
    Files.writeString(folder.resolve(Checksums.FILE_NAME), "0".repeat(64) + "  ../x\n");
    assertFault("names a file outside");
    Files.writeString(folder.resolve(Checksums.FILE_NAME), "nonsense\n");
    assertFault("not a checksum and a file name");
  }

  private void assertFault(String fault) {
    IOException e = assertThrows(IOException.class, () -> Checksums.verify(folder));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
  }
}
