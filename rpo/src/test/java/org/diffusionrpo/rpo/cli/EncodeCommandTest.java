package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.diffusionrpo.rpo.align.TinyRuns;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncodeCommandTest {
  @TempDir Path folder;
  private TinyRuns runs;

  @BeforeEach
  void create() throws IOException {
    runs = TinyRuns.create(folder);
  }

  @Test
  void fillsACacheThatAlignReads() {
    Path cache = folder.resolve("cache");
    CliRun run = CliRun.of("encode", "--model", runs.model(), "--data", runs.data(), "--cache", cache, "--flip",
        "--choice-model", "clip").assertDone();
    assertTrue(run.out().startsWith(cache + ": " + TinyRuns.PAIRS + " pairs; dropped: 0 ties"), run.out());
    assertTrue(run.err().contains("Choice model clip swapped winner and loser of "), run.err());
    CliRun.of("align", "--model", runs.model(), "--data", runs.data(), "--cache", cache, "--flip", "--choice-model", "clip",
        "--steps", 2, "--batch", 2, "--evaluate", 0, "--samples", 0, "--out", folder.resolve("run")).assertDone();
  }

  @Test
  void takesAConfigFileOfAlign() throws IOException {
    Path cache = folder.resolve("cache");
    Path config = Files.writeString(folder.resolve("align.yaml"), "steps: 2\nweights: uniform\nlimit: 3\nseed: 5\n");
    CliRun run = CliRun.of("encode", "--config", config, "--model", runs.model(), "--data", runs.data(), "--cache",
        cache, "--limit", 2).assertDone();
    assertTrue(run.out().startsWith(cache + ": 2 pairs"), run.out());
    try (Stream<Path> stores = Files.list(cache)) {
      assertTrue(stores.noneMatch(store -> store.getFileName().toString().startsWith("clip-")), "no CLIP embeddings");
    }
    Files.writeString(config, "stepz: 2");
    encode("--config", config, "--cache", cache).assertRefused("align.yaml", "'stepz'", "did you mean 'steps'?");
  }

  @Test
  void whatChangesTheEncodingIsAnOption() throws IOException {
    Path cache = folder.resolve("cache");
    encode("--cache", cache, "--unet", runs.model().resolve("unet"), "--weights", "diagonal", "--seed", 3, "--losers",
        2, "--style", "google").assertDone();
    encode("--cache", cache, "--steps", 2).assertRefused("--steps");
    Files.move(runs.model().resolve("clip"), folder.resolve("moved"));
    encode("--cache", cache, "--weights", "uniform").assertDone();
    encode("--cache", cache).assertRefused("has no clip/ beside it: name one with --clip, or use --weights uniform");
  }

  @Test
  void badOptionsAreRefusedByName() throws IOException {
    CliRun.of("encode", "--model", runs.model(), "--data", runs.data()).assertRefused("--cache");
    Path file = Files.writeString(folder.resolve("file"), "x");
    encode("--cache", file).assertRefused("--cache " + file, "a folder");
    encode("--cache", folder.resolve("c"), "--choice-clip", "nowhere").assertRefused("--choice-clip nowhere");
    encode("--cache", folder.resolve("c"), "--choice-model", "aes").assertRefused("--choice-model", "aes", "CLIP");
    assertFalse(Files.exists(folder.resolve("c")));
  }

  @Test
  void alignRefusesWhatCannotGoTogether() {
    Path out = folder.resolve("run");
    CliRun.of("align", "--stream", "--cache", folder.resolve("c"), "--out", out).assertRefused("--stream", "--cache");
    CliRun.of("align", "--crop", "random", "--out", out).assertRefused("--crop random", "--stream");
    CliRun.of("align", "--stream", "--window", 0, "--out", out).assertRefused("--window 0", "at least 1");
    assertFalse(Files.exists(out));
  }

  @Test
  void aFaultOfTheDataIsOneLine() throws IOException {
    Path broken = Files.write(folder.resolve("cut.parquet"), new byte[] {'P', 'A', 'R', '1', 0, 0});
    CliRun run = CliRun.of("encode", "--model", runs.model(), "--data", broken, "--cache", folder.resolve("c"));
    run.assertRefused(broken.toString(), "not a readable Parquet file");
    assertEquals(1, run.err().lines().count());
  }

  private CliRun encode(Object... words) {
    Object[] all = new Object[5 + words.length];
    System.arraycopy(new Object[] {"encode", "--model", runs.model(), "--data", runs.data()}, 0, all, 0, 5);
    System.arraycopy(words, 0, all, 5, words.length);
    return CliRun.of(all);
  }
}
