package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.tensor.io.TensorSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PretrainCommandTest {
  /** At most what one update of rate 1e-12 adds; it only turns zeros negative. */
  private static final float LEARNED = 1e-11f;

  @TempDir static Path homeFolder;
  private static TinyHome home;

  @TempDir Path folder;

  @BeforeAll
  static void makeHome() throws IOException {
    home = new TinyHome(homeFolder);
  }

  @AfterAll
  static void leaveHome() {
    home.close();
  }

  @Test
  void threePartsMakeAModelThatDraws() throws IOException {
    stage("vae").assertDone();
    stage("clip").assertDone();
    stage("unet").assertDone();
    assertEquals(1, MetricsLog.read(folder.resolve("vae/metrics.jsonl")).size());
    Path picture = folder.resolve("picture.png");
    CliRun.of("generate", "red cat", "--model", folder.resolve("model"), "--steps", 1, "--out", picture).assertDone();
    assertTrue(Files.size(picture) > 0);
  }

  @Test
  void aRunIsContinuedOnlyWithItsOwnSettings() throws IOException {
    stage("vae").assertDone();
    stage("vae").assertDone();
    assertEquals(1, MetricsLog.read(folder.resolve("vae/metrics.jsonl")).size(), "no update is made twice");
    CliRun other = CliRun.of("pretrain", "vae", "--work", folder, "--steps", 2, "--batch", 2);
    assertEquals(2, other.code());
    assertTrue(other.err().contains("other settings"), other.err());
  }

  @Test
  void unetTrainingStartsFromAnotherModelAndKnowsItAgain() throws IOException {
    stage("vae").assertDone();
    stage("clip").assertDone();
    stage("unet").assertDone();
    Path first = folder.resolve("model");
    Path second = folder.resolve("second");
    Files.move(folder.resolve("unet"), folder.resolve("first-unet"));
    List<Object> command = List.of("pretrain", "unet", "--work", folder, "--steps", 1, "--batch", 2, "--warmup", 0,
        "--lr", 1e-12, "--out", second);
    List<Object> init = new ArrayList<>(command);
    init.addAll(List.of("--init", first));
    CliRun.of(init.toArray()).assertDone();
    assertArrayEquals(weights(first), weights(second), LEARNED, "the start is the end");
    CliRun.of(init.toArray()).assertDone();
    CliRun withoutInit = CliRun.of(command.toArray());
    assertEquals(2, withoutInit.code());
    assertTrue(withoutInit.err().contains("other settings"), withoutInit.err());
    Path precious = Files.createDirectories(folder.resolve("precious"));
    Files.writeString(precious.resolve("thesis.tex"), "precious");
    Files.move(folder.resolve("unet"), folder.resolve("second-unet"));
    CliRun.of("pretrain", "unet", "--work", folder, "--out", precious).assertRefused("precious: exists and is not an "
        + "earlier save, which would have a model_index.json; choose another folder");
    assertFalse(Files.exists(folder.resolve("unet")), "refused before the training");
    init.set(init.size() - 1, folder.resolve("nowhere"));
    CliRun.of(init.toArray()).assertRefused("nowhere");
  }

  private static float[] weights(Path model) throws IOException {
    try (TensorSource file = TensorSource.open(model.resolve("unet/diffusion_pytorch_model.safetensors"))) {
      return file.readFloats("conv_in.weight");
    }
  }

  @Test
  void styleClassifierShowsItsAnswers() {
    Path file = folder.resolve("classifier.json");
    String out = CliRun.of("pretrain", "style", "--out", file).assertDone().out();
    assertTrue(out.contains("wrote " + file), out);
    assertTrue(out.contains("validation: right on ") && out.contains("test: right on "), out);
    assertTrue(Files.isRegularFile(file));
  }

  @Test
  void badInputIsRefused() {
    CliRun.of("pretrain", "unet", "--work", folder).assertRefused("vae", "drpo pretrain vae");
    CliRun.of("pretrain", "vae", "--work", folder, "--steps", 0).assertRefused("steps 0");
    CliRun.of("pretrain", "clip", "--work", folder, "--lr", "fast").assertRefused("--lr", "fast");
    CliRun.of("pretrain", "vae", "--work", folder, "--ema", 1.5).assertRefused("average 1.5");
    assertFalse(Files.exists(folder.resolve("vae")), "a refused command leaves nothing that a right one stumbles over");
    CliRun.of("pretrain", "gan").assertRefused("gan");
  }

  private CliRun stage(String name) {
    return CliRun.of("pretrain", name, "--work", folder, "--steps", 1, "--batch", 2, "--warmup", 0);
  }
}
