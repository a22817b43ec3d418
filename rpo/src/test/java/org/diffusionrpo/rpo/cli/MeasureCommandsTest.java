package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraConfig;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraWriter;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** evaluate, compare and data. */
class MeasureCommandsTest {
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
  void evaluateScoresEveryModelAndSeed() throws IOException {
    Path json = folder.resolve("scores.json");
    String text = CliRun.of("evaluate", Bundled.model(), "--seeds", "4,5", "--images", 8, "--sample-steps", 2,
        "--split", "test", "--out", json).assertDone().out();
    assertTrue(text.contains("8 pictures for each of 2 seeds, test split"), text);
    JsonNode scores = new ObjectMapper().readTree(json.toFile()).get("scores").get(Bundled.model().toString());
    assertEquals(2, scores.size());
    assertEquals(3, scores.get(0).get("dimensions").asInt(), "fewer than half the number of pictures");
    assertEquals("{}", new ObjectMapper().readTree(json.toFile()).get("model_options").toString());
  }

  @Test
  void evaluateTellsTheOptionsOfTheModels() throws IOException {
    Path json = folder.resolve("scores.json");
    Path lora = folder.resolve("style.safetensors");
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(Bundled.model(), backend, LoadOptions.F32);
        LoraAdapters adapters = LoraAdapters.attach(model.unet().value(), LoraConfig.of(2, 2, "attn"))) {
      adapters.initialize(backend, 1);
      LoraWriter.write(lora, adapters.layers(), LoraFormat.PEFT, LoraModules.of(model));
    }
    Path unet = Bundled.model().resolve("unet");
    CliRun.of("evaluate", "--unet", unet, "--storage", "f16", "--lora", lora + ":0.5", "--seeds", 1, "--images", 8,
        "--sample-steps", 2, "--out", json).assertDone();
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals("{\"unet\":\"" + unet + "\",\"storage\":\"f16\"}", written.get("model_options").toString());
    assertEquals(lora + ":0.5", written.get("loras").get(0).asText());
  }

  @Test
  void evaluateRefusesBadInput() {
    CliRun.of("evaluate", "--split", "train").assertRefused("--split train");
    CliRun.of("evaluate", "--split", "half").assertRefused("--split", "half");
    CliRun.of("evaluate", "--style", "cubism").assertRefused("cubism", "sketch");
    CliRun.of("evaluate", "--images", 3).assertRefused("3 pictures", "at least 4");
    CliRun.of("evaluate", folder).assertRefused("no model_index.json");
    CliRun.of("evaluate", "--seeds", "one").assertRefused("--seeds", "one");
    CliRun.of("evaluate", "--clip", folder.resolve("none")).assertRefused("none", "no such CLIP folder");
  }

  @ParameterizedTest
  @CsvSource({"--guidance, -1, guidance -1", "--sample-steps, 0, steps 0"})
  void evaluateRefusesImpossibleSampling(String option, String value, String fault) {
    CliRun.of("evaluate", "--images", 8, option, value).assertRefused(fault);
  }

  @Test
  void quickComparisonPrintsItsTableAndIsNotRepeated() throws IOException {
    Path out = folder.resolve("compare");
    String text = CliRun.of("compare", "--quick", "--out", out).assertDone().out();
    for (String row : List.of("base model", "SFT (lr ", "Diffusion-DPO (lr ", "Diffusion-RPO (lr ")) {
      assertTrue(text.lines().anyMatch(line -> line.startsWith(row)), text);
    }
    for (String file : List.of("table.md", "comparison.html", "comparison.json", "pictures.png")) {
      assertTrue(Files.isRegularFile(out.resolve(file)), file);
    }
    String plan = CliRun.of("compare", "--quick", "--out", out, "--dry-run").assertDone().out();
    assertTrue(plan.contains("4 units, 4 finished"), plan);
    CliRun again = CliRun.of("compare", "--quick", "--out", out).assertDone();
    assertEquals(text, again.out());
    assertTrue(again.err().lines().noneMatch(line -> line.startsWith("[")), again.err());
  }

  @Test
  void comparisonIsPlannedWithoutRunning() throws IOException {
    Path out = folder.resolve("compare");
    Path config = Files.writeString(folder.resolve("compare.yaml"), "search-lr: [1e-4, 2e-4]\nseeds: [1, 2, 3]\ntau: 0.2\n");
    String plan = CliRun.of("compare", "--config", config, "--beta", 1000, "--out", out, "--dry-run").assertDone().out();
    assertEquals(6, plan.lines().filter(line -> line.startsWith("search/")).count(), plan);
    assertTrue(plan.contains("search/rpo-lr2e-4-beta1000-seed0-"), plan);
    assertTrue(plan.contains("18 units, 0 finished"), plan);
    assertTrue(Files.notExists(out));
  }

  @Test
  void compareRefusesBadInput() throws IOException {
    CliRun.of("compare", "--objective", "dpo").assertRefused("--objective");
    CliRun.of("compare", "--seeds", "1,1").assertRefused("--seeds", "different");
    CliRun.of("compare", "--search-beta", "0").assertRefused("--search-beta", "above 0");
    CliRun.of("compare", "--evaluate", 0).assertRefused("--evaluate 0");
    Path config = Files.writeString(folder.resolve("compare.yaml"), "seed: 3\n");
    CliRun.of("compare", "--config", config).assertRefused("unknown setting 'seed'", "seeds");
  }

  @Test
  void dataIsCountedValidatedAndExported() {
    assertTrue(CliRun.of("data", "info").assertDone().out().lines()
        .anyMatch(line -> line.matches("sketch +8 +8 +8")));
    Path file = folder.resolve("pairs.parquet");
    CliRun export = CliRun.of("data", "export", "--style", "fluent", "--split", "validation", "--losers", 2, "--out", file);
    assertTrue(export.assertDone().out().contains("wrote 16 pairs"), export.out());
    String report = CliRun.of("data", "validate", file).assertDone().out();
    assertTrue(report.contains("16 pairs; dropped: 0 ties"), report);
  }

  @Test
  void dataRefusesBadInput() throws IOException {
    CliRun.of("data", "validate", folder.resolve("gone.csv")).assertRefused("gone.csv", "no such file");
    CliRun.of("data", "validate", folder).assertRefused("neither");
    Path empty = Files.writeString(folder.resolve("pairs.jsonl"), "");
    CliRun.of("data", "validate", empty).assertRefused("no usable pair");
    CliRun.of("data", "export", "--out", folder).assertRefused("--out", "is a folder");
    CliRun.of("data", "export", "--style", "cubism", "--out", folder.resolve("x.parquet")).assertRefused("cubism");
    CliRun.of("data", "export", "--losers", 9, "--out", folder.resolve("x.parquet")).assertRefused("9 losers");
    CliRun.of("data", "export").assertRefused("--out");
  }
}
