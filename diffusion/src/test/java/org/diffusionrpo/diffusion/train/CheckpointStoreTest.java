package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.io.Checksums;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointStoreTest {
  @TempDir
  private Path folder;

  private final OneWeight model = new OneWeight();

  @AfterEach
  void close() {
    model.close();
  }

  private enum Damage {
    FLIPPED_BYTE, CUT_OFF, NO_STATE, NO_LIST;

    private void to(Path checkpoint) throws IOException {
      Path state = checkpoint.resolve("state.safetensors");
      byte[] bytes = Files.readAllBytes(state);
      switch (this) {
        case FLIPPED_BYTE -> {
          bytes[bytes.length - 2] ^= 4;
          Files.write(state, bytes);
        }
        case CUT_OFF -> Files.write(state, Arrays.copyOf(bytes, bytes.length / 2));
        case NO_STATE -> Files.delete(state);
        case NO_LIST -> Files.delete(checkpoint.resolve(Checksums.FILE_NAME));
        default -> throw new AssertionError(this);
      }
    }
  }

  @Test
  void theNewestAreKept() throws IOException {
    CheckpointStore store = store(2);
    save(store, 5, 10, 15, 20);
    assertEquals(List.of("step-00000015", "step-00000020"), names());
    assertEquals(20, store.latest().orElseThrow().step());
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void aDamagedNewestIsPassedOverAndReplaced(Damage damage) throws IOException {
    CheckpointStore store = store(3);
    save(store, 5, 10);
    damage.to(folder.resolve("step-00000010"));
    CheckpointStore.Checkpoint found = store.latest().orElseThrow();
    assertEquals(5, found.step());
    model.state().load(found.state());
    save(store, 10);
    assertEquals(10, store.latest().orElseThrow().step());
  }

  @Test
  void aDamagedCheckpointTakesNoSoundOnesPlace() throws IOException {
    CheckpointStore store = store(2);
    save(store, 5, 10);
    Damage.CUT_OFF.to(folder.resolve("step-00000010"));
    store.latest();
    save(store, 11);
    assertEquals(List.of("step-00000005", "step-00000010", "step-00000011"), names());
  }

  @Test
  void aDamagedLaterCheckpointDoesNotCostTheOneJustWritten() throws IOException {
    CheckpointStore store = store(1);
    save(store, 30);
    Damage.CUT_OFF.to(folder.resolve("step-00000030"));
    save(store, 25); // resumed from before, and saving more often now
    assertEquals(25, store.latest().orElseThrow().step());
  }

  @Test
  void withoutCheckpointsThereIsNothingToResume() throws IOException {
    assertTrue(store(1).latest().isEmpty());
    assertTrue(new CheckpointStore(folder.resolve("absent"), 1).latest().isEmpty());
    save(store(1), 5);
    Damage.NO_LIST.to(folder.resolve("step-00000005"));
    assertTrue(store(1).latest().isEmpty());
  }

  @Test
  void otherFilesAreLeftAlone() throws IOException {
    Files.createDirectories(folder.resolve("step-best"));
    Files.writeString(folder.resolve("notes.txt"), "mine");
    save(store(1), 1, 2, 3);
    assertEquals(List.of("notes.txt", "step-00000003", "step-best"), names());
  }

  @Test
  void namesDoNotDependOnTheLanguageOfTheMachine() throws IOException {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab")); // its %d writes other digits
      save(store(1), 7);
    } finally {
      Locale.setDefault(before);
    }
    assertEquals(7, store(1).latest().orElseThrow().step());
  }

  @Test
  void keepingNoneIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> store(0));
  }

  private CheckpointStore store(int kept) {
    return new CheckpointStore(folder, kept);
  }

  private void save(CheckpointStore store, int... steps) throws IOException {
    for (int step : steps) {
      store.save(step, model.state(), Map.of());
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
