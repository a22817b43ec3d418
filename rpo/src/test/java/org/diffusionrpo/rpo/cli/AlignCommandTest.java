package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AlignCommandTest {
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
  void runFolderHoldsModelPicturesAndReport() throws IOException {
    Path out = folder.resolve("run");
    String text = tiny(out, "--steps", 2).assertDone().out();
    assertTrue(text.matches("(?s).*cost +[0-9.e-]+ s per update \\(median\\).*"), text);
    for (String file : List.of("model/model_index.json", "model/clip/config.json", "metrics.jsonl", "samples.png",
        "run.json", "report.html")) {
      assertTrue(Files.isRegularFile(out.resolve(file)), file);
    }
    assertTrue(text.contains("model    " + out.resolve("model")), text);
    assertTrue(text.lines().anyMatch(line -> line.startsWith("before")), text);
    assertTrue(text.lines().anyMatch(line -> line.startsWith("after")), text);
    assertEquals(2, MetricsLog.read(out.resolve("metrics.jsonl")).size());
    CliRun.of("info", out.resolve("model")).assertDone();
  }

  @Test
  void scoresBeforeAndAfterStandInTheReportAndInRunJson() throws IOException {
    Path out = folder.resolve("run");
    tiny(out, "--steps", 1).assertDone();
    String report = Files.readString(out.resolve("report.html"));
    for (String part : List.of("Fréchet distance to sketch", "<th>before</th>", "<th>after</th>")) {
      assertTrue(report.contains(part), part);
    }
    JsonNode results = new ObjectMapper().readTree(out.resolve("run.json").toFile()).path("results");
    for (String model : List.of("before", "after")) {
      for (String score : List.of("frechet", "style_share", "clip_score")) {
        assertTrue(results.path(model).path(score).isNumber(), model + " " + score);
      }
      assertEquals(8, results.path(model).path("images").asInt());
    }
  }

  @Test
  void namedClipServesAModelThatHasNone() throws IOException {
    Path bare = CliRun.saveTinyModel(folder.resolve("bare"));
    String text = tiny(folder.resolve("run"), "--model", bare, "--clip", homeFolder.resolve("clip"), "--steps", 1)
        .assertDone().out();
    assertTrue(text.lines().anyMatch(line -> line.startsWith("after")), text);
  }

  @Test
  void resumeContinuesTheRunOrStartsIt() throws IOException {
    Path out = folder.resolve("run");
    tiny(out, "--steps", 1, "--resume").assertDone();
    tiny(out, "--steps", 2).assertRefused("--out", "--resume");
    tiny(out, "--steps", 2, "--resume", "--lr", "0.5").assertRefused("another one", "lr");
    CliRun continued = tiny(out, "--steps", 3, "--resume").assertDone();
    assertTrue(continued.err().contains("continued after update 1"), continued.err());
    assertEquals(3, MetricsLog.read(out.resolve("metrics.jsonl")).size());
  }

  @Test
  void commandLineOverridesTheConfigFile() throws IOException {
    Path config = Files.writeString(folder.resolve("align.yaml"),
        "objective: dpo\nsteps: 5\nbeta: 1e3\ngradient-checkpointing: true\nresume: false\nstyle: fluent\n");
    Path out = folder.resolve("run");
    tiny(out, "--config", config, "--steps", 1, "--style", "google").assertDone();
    JsonNode settings = new ObjectMapper().readTree(out.resolve("run.json").toFile()).get("settings");
    assertEquals("dpo", settings.get("objective").asText());
    assertEquals("1", settings.get("steps").asText());
    assertEquals("1000.0", settings.get("beta").asText());
    assertEquals("true", settings.get("gradientCheckpointing").asText());
    assertEquals("google", settings.get("style").asText());
    assertEquals("2", settings.get("batch").asText(), "neither default nor file must undo the command line");
  }

  @Test
  void faultyConfigFilesAreRefused() throws IOException {
    config("stepz: 3").assertRefused("align.yaml", "'stepz'", "did you mean 'steps'?");
    config("xyzzy: 3").assertRefused("'xyzzy'", "known are");
    config("steps: many").assertRefused("align.yaml", "--steps", "'many'");
    config("objective: kto").assertRefused("--objective", "kto");
    config("steps: [").assertRefused("align.yaml", "not YAML");
    config("- steps").assertRefused("align.yaml", "expected lines");
    config("resume: 1").assertRefused("resume", "true or false");
    config("lr:").assertRefused("lr", "expected a value");
    CliRun.of("align", "--config", folder.resolve("gone.yaml")).assertRefused("gone.yaml", "o such file");
  }

  @Test
  void badInputIsRefusedBeforeAnythingIsWritten() throws IOException {
    Path out = folder.resolve("run");
    tiny(out, "--steps", 0).assertRefused("--steps 0", "at least 1");
    tiny(out, "--objective", "kto").assertRefused("--objective", "kto");
    tiny(out, "--style", "cubism").assertRefused("--style cubism", "sketch");
    tiny(out, "--contrast", 3).assertRefused("--contrast 3", "from 1 to the batch of 2");
    tiny(out, "--data", folder.resolve("none.parquet")).assertRefused("--data", "none.parquet");
    tiny(out, "--model", folder.resolve("none")).assertRefused("none", "no such model folder");
    tiny(out, "--clip", folder.resolve("none")).assertRefused("--clip", "none");
    tiny(out, "--backend", "tpu").assertRefused("--backend tpu", "cpu");
    tiny(out, "--lr-schedule", "foo").assertRefused("--lr-schedule", "foo", "COSINE");
    CliRun.of("align", "--evaluate", 2).assertRefused("--evaluate 2", "at least 4");
    tiny(out, "--stepz", 3).assertRefused("--stepz");
    assertFalse(Files.exists(out));
    Files.createDirectories(out);
    Files.writeString(out.resolve("letter.txt"), "dear diary");
    tiny(out).assertRefused("--out", "not empty");
  }

  @ParameterizedTest
  @CsvSource({"--batch, 0", "--micro-batch, 0", "--contrast, 99", "--lr, -1", "--warmup, -1", "--max-grad-norm, 0",
      "--ema, 1.5", "--beta, 0", "--tau, 0", "--lambda, 2", "--caption-dropout, 2", "--losers, 0", "--limit, 0"})
  void impossibleValueIsRefusedByItsOption(String option, String value) {
    Path out = folder.resolve("run");
    CliRun.of("align", "--out", out, option, value).assertRefused(option + " " + value, "expected");
    assertFalse(Files.exists(out));
  }

  private CliRun config(String text) throws IOException {
    return CliRun.of("align", "--config", Files.writeString(folder.resolve("align.yaml"), text));
  }

  private static CliRun tiny(Path out, Object... more) {
    List<Object> words = new ArrayList<>(List.of("align", "--out", out, "--batch", 2, "--evaluate", 8, "--samples", 2,
        "--sample-steps", 2, "--warmup", 1));
    words.addAll(List.of(more));
    return CliRun.of(words.toArray());
  }
}
