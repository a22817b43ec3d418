package org.diffusionrpo.rpo.train;

import static org.diffusionrpo.rpo.train.EncodedPairsAssert.HALF;
import static org.diffusionrpo.rpo.train.EncodedPairsAssert.all;
import static org.diffusionrpo.rpo.train.EncodedPairsAssert.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairDataset;
import org.diffusionrpo.rpo.data.PairEntry;
import org.diffusionrpo.rpo.data.PairSource;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Shards;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pairs in memory, in a cache and as a stream are the same pairs. */
class PairSourcesTest {
  private static final int ROWS = 23;
  /** Ties are rows 4, 9, 14 and 19. */
  private static final int PAIRS = 19;

  @TempDir Path folder;
  private final Backend backend = new CpuBackend();
  private StableDiffusion model;
  private Clip clip;
  private PairEncoder encoder;
  private Path data;
  private Path cache;

  @BeforeEach
  void create() throws IOException {
    model = TinyModel.create(backend);
    clip = TinyModel.createClip(backend);
    encoder = PairEncoder.of(backend, model, clip);
    data = Files.createDirectories(folder.resolve("data"));
    cache = folder.resolve("cache");
    Shards.write(data.resolve("a.parquet"), 0, 10);
    Shards.write(data.resolve("b.parquet"), 10, ROWS - 10);
  }

  @AfterEach
  void close() {
    clip.close();
    model.close();
    backend.close();
  }

  private List<PairBlock> blocks() throws IOException {
    return PairSource.open(data).blocks(new LoadReport());
  }

  private EncodedPairs inMemory() throws IOException {
    return encoder.encode(PairDataset.load(data, Integer.MAX_VALUE).pairs(), true, ProgressListener.SILENT)
        .orElseThrow();
  }

  private EncodedPairs cached(Relabelling relabelling, LoadReport report) throws IOException {
    return PairCache.fill(cache, blocks(), encoder, true, relabelling, report, ProgressListener.SILENT).orElseThrow();
  }

  private static Map<String, Long> sizes(Path folder) throws IOException {
    Map<String, Long> sizes = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sizes.put(folder.relativize(file).toString(), Files.size(file));
      }
    }
    return sizes;
  }

  @Test
  void cacheHoldsWhatMemoryHoldsRoundedToHalves() throws IOException {
    LoadReport report = new LoadReport();
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached(null, report)) {
      assertEquals(PAIRS, cached.size());
      assertEquals(PAIRS, report.pairs());
      assertSame(all(memory, false), all(cached, false), HALF);
      assertSame(all(memory, true), all(cached, true), HALF);
      assertArrayEquals(memory.order(3, 4).batch(2), cached.order(3, 4).batch(2), "the same order of pairs");
    }
  }

  @Test
  void streamHoldsWhatMemoryHolds() throws IOException {
    try (EncodedPairs memory = inMemory();
        EncodedPairs stream = new StreamedPairs(blocks(), 2, encoder, null, new LoadReport())) {
      assertEquals(PAIRS, stream.size());
      assertSame(all(memory, false), all(stream, false), 0);
      assertSame(all(memory, true), all(stream, true), 0);
    }
  }

  @Test
  void mirroredMomentsAreThoseOfTheMirroredPicture() throws IOException {
    try (EncodedPairs memory = inMemory()) {
      RgbImage winner = PreparedImage.of(ImageCodec.decode(Shards.picture("winner", 0),
          "winner"), encoder.resolution(), View.PLAIN).image();
      float[] expected = encoder.moments(List.of(new PreparedImage(Crops.flip(winner), null))).get(0);
      assertArrayEquals(expected, all(memory, true).get(0).winner().moments());
      assertFalse(Arrays.equals(expected, all(memory, false).get(0).winner().moments()));
    }
  }

  @Test
  void aFullCacheIsReadWithoutThePictures() throws IOException {
    cached(null, new LoadReport()).close();
    Map<String, Long> before = sizes(cache);
    List<PairBlock> blind = blocks().stream().map(PairSourcesTest::withoutPictures).toList();
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = PairCache.fill(cache, blind, encoder, true, null,
        new LoadReport(), ProgressListener.SILENT).orElseThrow()) {
      assertSame(all(memory, true), all(cached, true), HALF);
    }
    assertEquals(before, sizes(cache));
  }

  @Test
  void labelsTurnedInPlaceTurnTheCachedPairs() throws IOException {
    Path shard = Shards.writeUncompressed(data.resolve("a.parquet"), 0, 10, false);
    cached(null, new LoadReport()).close();
    Shards.turnLabels(shard, 0, 10);
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached(null, new LoadReport())) {
      assertSame(all(memory, true), all(cached, true), HALF);
    }
  }

  private static PairBlock withoutPictures(PairBlock block) {
    return new PairBlock() {
      @Override public int size() {
        return block.size();
      }

      @Override public long bytes() {
        return block.bytes();
      }

      @Override public String identity() {
        return block.identity();
      }

      @Override public List<PairEntry> read() {
        throw new AssertionError("a picture is read");
      }
    };
  }

  @Test
  void interruptedFillingGoesOnWhereItWas() throws IOException {
    int[] asked = {0};
    assertTrue(PairCache.fill(cache, blocks(), encoder, true, null, new LoadReport(), new ProgressListener() {
      @Override public void onProgress(long done, long total) {}

      @Override public boolean cancelled() {
        return asked[0]++ == 3;
      }
    }).isEmpty());
    Map<String, Long> half = sizes(cache);
    assertTrue(half.keySet().stream().anyMatch(name -> name.endsWith(".keys")), half.toString());
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached(null, new LoadReport())) {
      assertSame(all(memory, true), all(cached, true), HALF);
    }
    half.forEach((name, size) -> assertTrue(size <= cache.resolve(name).toFile().length(), name));
    assertEquals(PAIRS * 2L, Files.size(records("time-ids")) / (6 * Float.BYTES), "no picture twice");
  }

  private Path records(String kind) throws IOException {
    try (Stream<Path> folders = Files.list(cache)) {
      return folders.filter(f -> f.getFileName().toString().startsWith(kind + "-")).findFirst().orElseThrow()
          .resolve("records.bin");
    }
  }

  @Test
  void otherWeightsNeverMeetOldEncodings() throws IOException {
    cached(null, new LoadReport()).close();
    Parameter weight = model.vae().value().parameters().all().iterator().next();
    float[] values = weight.value().toArray();
    values[0] += 0.5f;
    weight.set(backend, values, Storage.F32);
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached(null, new LoadReport())) {
      assertSame(all(memory, false), all(cached, false), HALF);
    }
  }

  @Test
  void unreadablePicturesAreCountedAndTheirPairsReplacedInAStream() throws IOException {
    List<PreferencePair> pairs = new ArrayList<>(PairDataset.load(data, 4).pairs());
    pairs.set(1, new PreferencePair(new byte[] {1, 2}, pairs.get(1).loser(), pairs.get(1).caption(), "broken"));
    List<PairBlock> blocks = PairSource.of(pairs).blocks(new LoadReport());
    LoadReport cacheReport = new LoadReport();
    try (EncodedPairs cached =
        PairCache.fill(cache, blocks, encoder, false, null, cacheReport, ProgressListener.SILENT).orElseThrow()) {
      assertEquals(3, cached.size());
      assertEquals(1, cacheReport.unreadable());
    }
    LoadReport report = new LoadReport();
    try (EncodedPairs stream = new StreamedPairs(blocks, 1, encoder, null, report)) {
      List<EncodedPair> seen = all(stream, false);
      assertEquals(4, seen.size());
      assertArrayEquals(seen.get(2).winner().moments(), seen.get(1).winner().moments());
      all(stream, false);
      assertEquals(1, report.unreadable(), "counted once");
      assertEquals(3, report.pairs(), "each counted once");
      assertTrue(report.unreadableNames().get(0).startsWith("broken (winner): not an image"), report.toString());
    }
    List<PairBlock> none = PairSource.of(List.of(pairs.get(1))).blocks(new LoadReport());
    try (EncodedPairs stream = new StreamedPairs(none, 1, encoder, null, new LoadReport())) {
      IOException error = assertThrows(IOException.class, () -> all(stream, false));
      assertTrue(error.getMessage().startsWith("no pair can be used: broken"), error.getMessage());
    }
  }

  @Test
  void aFullCacheStillTellsWhatIsMissingFromWhatIsUnreadable() throws IOException {
    Shards.writeFaulty(data.resolve("a.parquet"));
    for (String pass : List.of("filled", "read")) {
      LoadReport report = new LoadReport();
      cached(null, report).close();
      assertEquals(1, report.missing(), pass);
      assertEquals(2, report.unreadable(), pass);
    }
  }

  @Test
  void aBlockWithoutAUsablePairIsReplacedByTheNextOne() throws IOException {
    List<PreferencePair> pairs = PairDataset.load(data, 3).pairs();
    List<PreferencePair> broken = List.of(new PreferencePair(new byte[] {1, 2}, new byte[] {3}, "red cat", "broken"));
    List<PairBlock> blocks = new ArrayList<>();
    for (List<PreferencePair> block : List.of(pairs.subList(0, 2), broken, pairs.subList(2, 3), broken)) {
      blocks.addAll(PairSource.of(block).blocks(new LoadReport()));
    }
    LoadReport report = new LoadReport();
    try (EncodedPairs stream = new StreamedPairs(blocks, 1, encoder, null, report)) {
      List<EncodedPair> seen = all(stream, false);
      assertArrayEquals(seen.get(3).winner().moments(), seen.get(2).winner().moments(), "by the next block");
      assertArrayEquals(seen.get(0).winner().moments(), seen.get(4).winner().moments(), "first comes after last");
      assertFalse(Arrays.equals(seen.get(0).winner().moments(), seen.get(3).winner().moments()));
      assertEquals(2, report.unreadable());
      assertEquals(3, report.pairs());
    }
  }

  @Test
  void everyOtherEntryIsASubstituteOnceAndThoseOfTheBlockComeFirst() throws IOException {
    try (BlockWindow window = new BlockWindow(blocks(), 2, Long.MAX_VALUE)) { // of 4, 3, 4 ... entries
      int[] substitutes = IntStream.range(1, PAIRS).map(nth -> window.substitute(5, nth)).toArray();
      assertArrayEquals(new int[] {6, 4, 7}, Arrays.copyOf(substitutes, 3));
      assertEquals(PAIRS - 1, Arrays.stream(substitutes).filter(item -> item != 5).distinct().count());
    }
  }

  @Test
  void aStreamsBatchesDependOnSeedAndStepAlone() throws IOException {
    try (EncodedPairs walked = new StreamedPairs(blocks(), 2, encoder, null, new LoadReport());
        EncodedPairs late = new StreamedPairs(blocks(), 2, encoder, null, new LoadReport())) {
      PairBatches batches = batches(walked);
      PairBatch last = null;
      for (int step = 0; step <= 9; step++) {
        last = batches.batch(step, true);
      }
      PairBatch same = batches(late).batch(9, true);
      assertArrayEquals(last.winners(), same.winners());
      assertArrayEquals(last.losers(), same.losers());
      assertArrayEquals(last.noise(), same.noise());
    }
  }

  private PairBatches batches(EncodedPairs pairs) {
    return new PairBatches(pairs, model.vae().value(), model.scheduler().value(),
        new PairBatches.Options(4, 1, PairBatches.Timestep.PAIR, 0.2, 5, true, View.Crop.RANDOM));
  }

  @Test
  void twoWindowsMustFitIntoTheMemory() throws IOException {
    List<PairBlock> blocks = blocks();
    long largest = blocks.stream().mapToLong(PairBlock::bytes).max().orElseThrow();
    IOException error = assertThrows(IOException.class, () -> new BlockWindow(blocks, 1, largest));
    assertTrue(error.getMessage().startsWith("two windows of 1 row groups hold up to 0 MiB"), error.getMessage());
    new BlockWindow(blocks, 1, 2 * largest).close();
  }

  @Test
  void aiFeedbackIsTheSameInMemoryCacheAndStream() throws IOException {
    Relabelling[] feedback = {relabelling(), relabelling(), relabelling()};
    List<PreferencePair> labelled = PairDataset.load(data, Integer.MAX_VALUE).pairs();
    long wrong = 0;
    for (PreferencePair pair : labelled) {
      wrong += brightness(ImageCodec.decode(pair.loser(), "loser"))
          > brightness(ImageCodec.decode(pair.winner(), "winner")) ? 1 : 0;
    }
    List<PreferencePair> relabelled = feedback[0].apply(labelled, ProgressListener.SILENT);
    try (EncodedPairs memory = encoder.encode(relabelled, ProgressListener.SILENT).orElseThrow();
        EncodedPairs cached = cached(feedback[1], new LoadReport());
        EncodedPairs stream = new StreamedPairs(blocks(), 2, encoder, feedback[2], new LoadReport())) {
      assertSame(all(memory, false), all(cached, false), HALF);
      assertSame(all(memory, false), all(stream, false), 0);
    }
    assertTrue(wrong > 0 && wrong < PAIRS, "the labels know nothing of brightness: " + wrong);
    assertEquals("brightness swapped winner and loser of " + wrong + " of 19 pairs", feedback[0].toString());
    assertEquals(feedback[0].toString(), feedback[1].toString());
    assertEquals(feedback[0].toString(), feedback[2].toString());
  }

  /** Of the first channel of the pixel in the corner. */
  private static int brightness(RgbImage picture) {
    return picture.rgb()[0] & 0xff;
  }

  private static Relabelling relabelling() {
    return new Relabelling(new Scorer() {
      @Override public String name() {
        return "brightness";
      }

      @Override public String checksum() {
        return "1";
      }

      @Override public RgbImage prepare(RgbImage picture) {
        return Crops.crop(picture, 0, 0, 1, 1);
      }

      @Override public double[] score(List<RgbImage> pictures, List<String> captions) {
        assertTrue(pictures.stream().allMatch(picture -> picture.width() == 1), "whole pictures");
        return pictures.stream().mapToDouble(PairSourcesTest::brightness).toArray();
      }
    });
  }
}
