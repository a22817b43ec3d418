package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class RecipesTest {
  private static final double PUBLISHED_RATE = 1e-8;
  private static final int PUBLISHED_BATCH = 2048;

  static List<Path> recipes() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("recipes"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  private static AlignSettings read(Path recipe, String... words) throws IOException {
    AlignSettings settings = new AlignSettings();
    ConfigFile.apply(recipe, settings, new CommandLine(settings).parseArgs(words));
    return settings.complete();
  }

  @Test
  void eachModelHasARecipeForEachObjective() throws IOException {
    assertEquals(List.of("sd15-dpo.yaml", "sd15-rpo.yaml", "sd15-sft.yaml", "sdxl-dpo.yaml", "sdxl-rpo.yaml",
        "sdxl-sft.yaml"), recipes().stream().map(file -> file.getFileName().toString()).toList());
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void aRecipeHoldsThePublishedSettings(Path recipe) throws IOException {
    AlignSettings settings = read(recipe);
    String name = recipe.getFileName().toString();
    boolean xl = name.startsWith("sdxl");
    assertTrue(name.endsWith("-" + settings.objective.name().toLowerCase(Locale.ROOT) + ".yaml"), name);
    assertEquals(PUBLISHED_BATCH, settings.batch);
    assertEquals(PUBLISHED_RATE * PUBLISHED_BATCH, settings.lr, 1e-18);
    assertEquals(2000, settings.steps);
    assertEquals(xl ? 200 : 500, settings.warmup);
    assertEquals(xl ? AlignSettings.OptimizerKind.ADAFACTOR : AlignSettings.OptimizerKind.ADAMW, settings.optimizer);
    assertEquals(0.2, settings.captionDropout);
    assertEquals(xl, settings.gradientCheckpointing);
    if (settings.objective == AlignSettings.Objective.DPO) {
      assertEquals(5000, settings.beta);
    } else if (settings.objective == AlignSettings.Objective.RPO) {
      assertEquals(5000 * settings.contrast, settings.beta);
    }
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void aRecipeOpensWithItsCommandHardwareAndEstimatedCost(Path recipe) throws IOException {
    String opening = String.join("\n", Files.readAllLines(recipe).stream().takeWhile(line -> line.startsWith("#")).toList());
    for (String part : List.of("./drpo align --config rpo/recipes/" + recipe.getFileName(), "# Hardware: ",
        "# Cost: an estimate")) {
      assertTrue(opening.contains(part), part);
    }
  }

  @Test
  void theCommandLineOverridesARecipe() throws IOException {
    assertEquals(32, read(Path.of("recipes/sd15-dpo.yaml"), "--batch", "32").batch);
  }

  @Test
  void anUnknownKeyIsAnErrorWithTheNearestKnownOne(@TempDir Path folder) throws IOException {
    Path recipe = folder.resolve("mine.yaml");
    Files.writeString(recipe, Files.readString(Path.of("recipes/sd15-dpo.yaml")).replace("warmup:", "warm-up:"));
    IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> read(recipe));
    assertEquals(recipe + ": unknown setting 'warm-up'; did you mean 'warmup'?", error.getMessage());
  }
}
