package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.PngText;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.OriginalFile;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.train.DivergedException;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.RunReport;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.Checksums;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.optim.LearningRate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs on a tiny model; what resuming must keep stands in {@link ResumeTest}. */
class AlignRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static AlignResult finished;
  private static final Recorder RECORDER = new Recorder();

  @BeforeAll
  static void align() throws IOException {
    runs = TinyRuns.create(folder);
    finished = AlignRun.run(runs.settings("finished"), RECORDER);
  }

  @Test
  void finishedRunTellsWhereItsModelIs() {
    assertTrue(finished.finished());
    assertEquals(TinyRuns.STEPS, finished.steps());
    assertEquals(runs.out("finished"), finished.out());
    assertEquals(runs.out("finished").resolve("model"), finished.model());
  }

  @Test
  void alignedModelLoadsAndOnlyItsUNetHasChanged() throws IOException {
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(finished.model(), backend, LoadOptions.F32);
        Clip clip = Clip.load(finished.model().resolve("clip"), backend, Storage.F32)) {
      assertTrue(model.unet().value().parameters().count() > 0 && clip.parameters().count() > 0);
    }
    assertSameFile("vae/diffusion_pytorch_model", finished.out());
    assertSameFile("text_encoder/model", finished.out());
    assertFalse(isHalfOf("unet/diffusion_pytorch_model.safetensors"));
  }

  @Test
  void everyQuantityOfEveryUpdateIsLogged() throws IOException {
    List<MetricsLog.Entry> log = MetricsLog.read(finished.out().resolve("metrics.jsonl"));
    assertEquals(IntStream.rangeClosed(1, TinyRuns.STEPS).boxed().toList(), log.stream().map(e -> (int) e.step()).toList());
    Set<String> expected = new LinkedHashSet<>(List.of(TrainLoop.LOSS, RunReport.LEARNING_RATE, RunReport.GRADIENT_NORM,
        RunReport.SECONDS, "skipped"));
    Arrays.stream(LossMetric.values()).map(LossMetric::key).forEach(expected::add);
    for (MetricsLog.Entry entry : log) {
      assertEquals(expected, entry.values().keySet());
      entry.values().forEach((name, value) -> assertTrue(Double.isFinite(value), name + " " + value));
    }
    assertEquals(Math.log(2), log.get(0).values().get(TrainLoop.LOSS), 1e-12, "a preference loss starts undecided");
    assertEquals(0, log.get(0).values().get(RunReport.LEARNING_RATE), "warm-up starts at rate 0");
  }

  @Test
  void runJsonHoldsEverySettingHashAndVersion() throws IOException {
    JsonNode json = JSON.readTree(finished.out().resolve("run.json").toFile());
    for (Field field : AlignSettings.class.getFields()) {
      assertTrue(json.path("settings").has(field.getName()), field.getName());
    }
    assertEquals("rpo", json.path("settings").path("objective").asText());
    assertEquals("0.001", json.path("settings").path("lr").asText());
    assertEquals("3", json.path("settings").path("contrast").asText(), "defaults are filled in");
    assertEquals(Checksums.sha256(runs.data()), json.path("hashes").path("data").asText());
    for (String hashed : List.of("model", "pairs", "clip")) {
      assertTrue(json.path("hashes").path(hashed).asText().matches("[0-9a-f]{64}"), hashed);
    }
    for (String version : List.of("diffusion-rpo", "java", "os", "kernels", "threads", "backend")) {
      assertFalse(json.path("versions").path(version).asText().isBlank(), version);
    }
    assertEquals(TinyRuns.PAIRS, json.path("pairs").asInt());
    assertTrue(json.path("left_out").asText().contains("0 ties"), json.path("left_out").asText());
  }

  @Test
  void samplesShowTheSamePromptsBeforeAndAfterAndTellTheirSeed() throws IOException {
    byte[] png = Files.readAllBytes(finished.out().resolve("samples.png"));
    assertTrue(ImageCodec.decode(png, "samples.png").width() > 2 * 10, "two columns of 10 pixels");
    String parameters = PngText.read(png, "samples.png").get("parameters");
    assertTrue(parameters.contains("seed 1") && parameters.contains("steps=2"), parameters);
  }

  @Test
  void reportNeedsNoOtherFile() throws IOException {
    String html = Files.readString(finished.out().resolve("report.html"));
    for (String outside : List.of("http:", "https:", "<script", "<link", "@import", "url(")) {
      assertFalse(html.contains(outside), outside);
    }
    assertEquals(2 * 2, html.split("src=\"data:image/png;base64,", -1).length - 1, "two prompts before and after");
    for (String part : List.of("Diffusion-RPO", "red cat", "aria-label=\"Loss\"", "aria-label=\"Implicit accuracy\"",
        "maxGradNorm")) {
      assertTrue(html.contains(part), part);
    }
  }

  @Test
  void listenerHearsPhasesProgressAndEveryUpdate() {
    assertEquals(IntStream.rangeClosed(1, TinyRuns.STEPS).boxed().toList(), RECORDER.steps);
    List<String> parts = List.of("Running on the", "Loading", "Encoding 5 pairs", "Aligning", "Saving",
        "with the base model", "with the aligned model");
    assertEquals(parts.size(), RECORDER.phases.size(), RECORDER.phases.toString());
    for (int i = 0; i < parts.size(); i++) {
      assertTrue(RECORDER.phases.get(i).contains(parts.get(i)), RECORDER.phases.get(i));
    }
    assertTrue(RECORDER.progress.contains("5/5"), RECORDER.progress.toString());
  }

  @ParameterizedTest
  @EnumSource(value = AlignSettings.Objective.class, names = {"DPO", "SFT"})
  void otherObjectivesRunToTheEnd(AlignSettings.Objective objective) throws IOException {
    AlignSettings settings = brief(objective.name());
    settings.objective = objective;
    settings.optimizer = AlignSettings.OptimizerKind.ADAFACTOR;
    AlignResult result = AlignRun.run(settings, AlignListener.SILENT);
    assertTrue(result.finished());
    assertNotEquals(RunOutcome.unet(finished.out()), RunOutcome.unet(result.out()));
  }

  @Test
  void savedModelIsTheAverageOfTheWeights() throws IOException {
    AlignSettings plain = brief("plain");
    AlignSettings last = brief("ema-last");
    last.ema = 0.0; // the average of one: the last weights
    AlignSettings smooth = brief("ema-smooth");
    smooth.ema = 0.9;
    String expected = RunOutcome.unet(AlignRun.run(plain, AlignListener.SILENT).out());
    assertEquals(expected, RunOutcome.unet(AlignRun.run(last, AlignListener.SILENT).out()));
    assertNotEquals(expected, RunOutcome.unet(AlignRun.run(smooth, AlignListener.SILENT).out()));
  }

  @Test
  void modelInOneFileIsAlignedAndSavedAsAFolderWithTheUNetInTheTypeAskedFor() throws IOException {
    Path file = folder.resolve("tiny.safetensors");
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      OriginalFile.of(model).write(file, DType.F32);
    }
    AlignSettings fromFolder = brief("from-folder");
    AlignSettings fromFile = brief("from-file");
    fromFile.model = file;
    fromFile.modelConfig = runs.model();
    fromFile.clip = runs.model().resolve("clip");
    for (AlignSettings settings : List.of(fromFolder, fromFile)) {
      settings.saveDtype = AlignSettings.SaveDtype.BF16;
    }
    assertEquals(RunOutcome.unet(AlignRun.run(fromFolder, AlignListener.SILENT).out()),
        RunOutcome.unet(AlignRun.run(fromFile, AlignListener.SILENT).out()));
    try (SafetensorsFile saved = SafetensorsFile.open(
        fromFile.out.resolve("model/unet/diffusion_pytorch_model.safetensors"))) {
      assertTrue(saved.names().stream().allMatch(name -> saved.info(name).dtype() == DType.BF16));
    }
    for (AlignSettings settings : List.of(fromFolder, fromFile)) { // which hold the same numbers in F32
      assertSameFile("vae/diffusion_pytorch_model", settings.out);
      assertSameFile("text_encoder/model", settings.out);
    }
  }

  @Test
  void halfPrecisionInMemoryRoundsTheReferenceAloneAndNothingThatIsSaved() throws IOException {
    AlignSettings half = brief("half");
    half.storage = Storage.BF16;
    half.lr = 0.0; // so that what is saved is what the run started from
    half.weightDecay = 0;
    half.saveDtype = AlignSettings.SaveDtype.F32;
    AlignRun.run(half, AlignListener.SILENT);
    for (String network : List.of("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")) {
      assertSameFile(network, half.out);
    }
    assertNotEquals(Math.log(2), MetricsLog.read(half.out.resolve("metrics.jsonl")).get(0).values()
        .get(TrainLoop.LOSS), 1e-9, "the policy starts beside its rounded reference");
  }

  /** A network of the base model is in the run's model byte for byte. */
  private static void assertSameFile(String network, Path run) throws IOException {
    String file = network + ".safetensors";
    assertArrayEquals(Files.readAllBytes(runs.model().resolve(file)),
        Files.readAllBytes(run.resolve("model").resolve(file)), network);
  }

  @Test
  void recomputedActivationsGiveTheSameBits() throws IOException {
    AlignSettings settings = runs.settings("recomputed");
    settings.gradientCheckpointing = true;
    AlignRun.run(settings, AlignListener.SILENT);
    RunOutcome.assertSame(RunOutcome.of(finished.out(), TinyRuns.STEPS),
        RunOutcome.of(settings.out, TinyRuns.STEPS));
  }

  @Test
  void unreadablePictureIsSkippedCountedAndNamed() throws IOException {
    Files.write(folder.resolve("broken.png"), new byte[] {1, 2, 3});
    Path data = folder.resolve("with-broken.jsonl");
    Files.writeString(data, Files.readString(runs.data())
        + "{\"caption\": \"x\", \"winner\": \"broken.png\", \"loser\": \"l0.png\"}\n"
        + "{\"caption\": \"x\", \"winner\": \"w0.png\", \"loser\": \"nowhere.png\"}\n");
    AlignSettings settings = brief("broken");
    settings.data = data;
    AlignRun.run(settings, AlignListener.SILENT);
    JsonNode json = JSON.readTree(settings.out.resolve("run.json").toFile());
    assertEquals(TinyRuns.PAIRS, json.path("pairs").asInt());
    String leftOut = json.path("left_out").asText();
    for (String part : List.of("1 with unreadable images", "1 incomplete", "with-broken.jsonl:6 (winner)",
        "with-broken.jsonl:7", "nowhere.png")) {
      assertTrue(leftOut.contains(part), leftOut);
    }
  }

  @Test
  void ownDataNeedsNoClipUnlessTheLossReadsOne() throws IOException {
    Path bare = folder.resolve("bare");
    try (Backend backend = new CpuBackend();
        StableDiffusion model = TinyModel.create(backend)) {
      model.save(bare, DType.F32);
    }
    AlignSettings settings = brief("bare-run");
    settings.model = bare;
    settings.evaluate = 100; // as by default: own data has no style to measure
    assertMessage(IllegalArgumentException.class, settings, "bare", "--clip", "--weights");
    assertFalse(Files.exists(settings.out), "nothing is written before the settings are known to work");
    settings.weights = AlignSettings.Weights.UNIFORM;
    assertTrue(AlignRun.run(settings, AlignListener.SILENT).finished());
  }

  @Test
  void absurdLearningRateEndsWithOneErrorAndTheLastGoodCheckpoint() throws IOException {
    AlignSettings settings = runs.settings("diverged");
    settings.lr = 1e30;
    settings.steps = 100;
    settings.checkpointEvery = 1;
    String message = assertMessage(DivergedException.class, settings, "20 updates in a row", "NaN", "learning rate");
    assertTrue(message.contains("the last checkpoint is of update 1"), message);
    assertFalse(Files.exists(settings.out.resolve("model")));
    Checksums.verify(RunOutcome.state(settings.out, 1).getParent());
    assertFalse(Files.exists(RunOutcome.state(settings.out, 2)), "the weights that can no longer be used");
    List<MetricsLog.Entry> log = MetricsLog.read(settings.out.resolve("metrics.jsonl"));
    assertEquals(20, log.stream().filter(entry -> entry.values().get("skipped") == 1).count());
  }

  @Test
  void resumeRefusesWhatWouldBeAnotherRun() throws IOException {
    AlignSettings first = brief("resumed");
    first.lrSchedule = LearningRate.Schedule.COSINE;
    AlignRun.run(first, AlignListener.SILENT);
    AlignSettings longer = resumed(first);
    longer.steps = 8;
    assertMessage(IllegalArgumentException.class, longer, "--resume", "steps was 4 and is now 8");

    AlignSettings constant = brief("resumed-constant");
    AlignRun.run(constant, AlignListener.SILENT);
    AlignSettings shorter = resumed(constant);
    shorter.steps = 3;
    assertMessage(IllegalArgumentException.class, shorter, "--steps 3", "4 updates");
    AlignSettings more = resumed(constant);
    more.steps = 5;
    assertEquals(5, AlignRun.run(more, AlignListener.SILENT).steps());
  }

  @Test
  void resumeNoticesAPictureThatChangedBehindItsTable() throws IOException {
    TinyRuns own = TinyRuns.create(Files.createDirectories(folder.resolve("own")));
    AlignSettings settings = own.settings("run");
    settings.steps = 2;
    settings.samples = 0;
    AlignRun.run(settings, AlignListener.SILENT);
    Files.copy(own.home().resolve("w1.png"), own.home().resolve("w0.png"), StandardCopyOption.REPLACE_EXISTING);
    AlignSettings again = own.settings("run");
    again.steps = 2;
    again.samples = 0;
    again.resume = true;
    assertMessage(IllegalArgumentException.class, again, "pairs was", "and is now");
  }

  @Test
  void hashesSeeThroughSymbolicLinks() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), runs.model());
    Path part = Files.createDirectories(folder.resolve("linked-part"));
    for (String name : List.of("unet", "vae")) {
      Files.createSymbolicLink(part.resolve(name), runs.model().resolve(name));
    }
    assertEquals(RunManifest.hash(runs.model()), RunManifest.hash(link));
    String both = RunManifest.hash(part);
    Files.delete(part.resolve("vae"));
    assertNotEquals(both, RunManifest.hash(part));
  }

  @Test
  void encodingCanBeCancelled() throws IOException {
    AlignSettings settings = brief("cancelled");
    AlignResult result = AlignRun.run(settings, new AlignListener() {
      @Override
      public void onStep(StepReport report) {
        throw new AssertionError("no update after a cancelled encoding");
      }

      @Override
      public boolean cancelled() {
        return true;
      }
    });
    assertFalse(result.finished());
    assertEquals(0, result.steps());
  }

  @Test
  void folderIsOnlyTakenWhenItIsFree() throws IOException {
    assertMessage(IllegalArgumentException.class, runs.settings("finished"), "finished", "--resume");
    AlignSettings full = runs.settings("full");
    Files.createDirectories(full.out);
    Files.writeString(full.out.resolve("thesis.tex"), "precious");
    assertMessage(IllegalArgumentException.class, full, "full", "not empty");
    full.resume = true;
    assertMessage(IllegalArgumentException.class, full, "full", "not empty");
    AlignSettings file = runs.settings("a-file");
    Files.writeString(file.out, "precious");
    assertMessage(IllegalArgumentException.class, file, "a-file", "is a file");
    assertEquals("precious", Files.readString(file.out));
  }

  private static AlignSettings resumed(AlignSettings settings) {
    AlignSettings again = settings.copy();
    again.resume = true;
    return again;
  }

  /** Four updates and no pictures. */
  private static AlignSettings brief(String name) {
    AlignSettings settings = runs.settings(name);
    settings.steps = 4;
    settings.samples = 0;
    return settings;
  }

  /** True when the finished run's weights are the base model's, rounded. */
  private static boolean isHalfOf(String weights) throws IOException {
    try (SafetensorsFile base = SafetensorsFile.open(runs.model().resolve(weights));
        SafetensorsFile aligned = SafetensorsFile.open(finished.model().resolve(weights))) {
      assertEquals(base.names(), aligned.names());
      for (String name : base.names()) {
        float[] expected = base.readFloats(name);
        float[] actual = aligned.readFloats(name);
        for (int i = 0; i < expected.length; i++) {
          if (actual[i] != HalfFloats.fromFp16(HalfFloats.toFp16(expected[i]))) {
            return false;
          }
        }
      }
      return true;
    }
  }

  private static String assertMessage(Class<? extends Exception> type, AlignSettings settings, String... parts) {
    String message = assertThrows(type, () -> AlignRun.run(settings, AlignListener.SILENT)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertFalse(message.contains("\n"), message);
    return message;
  }

  private static final class Recorder implements AlignListener {
    private final List<String> phases = new ArrayList<>();
    private final List<String> progress = new ArrayList<>();
    private final List<Integer> steps = new ArrayList<>();

    @Override
    public void onPhase(String description) {
      phases.add(description);
    }

    @Override
    public void onProgress(long done, long total) {
      progress.add(done + "/" + total);
    }

    @Override
    public void onStep(StepReport report) {
      steps.add(report.step());
    }
  }
}
