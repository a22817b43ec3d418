package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.PngText;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerateCommandTest {
  @TempDir static Path models;
  @TempDir Path folder;
  private static Path model;

  @BeforeAll
  static void save() throws IOException {
    model = CliRun.saveTinyModel(models.resolve("tiny"));
  }

  @Test
  void promptsBecomeOneGridAndSinglePicturesWithTheirSettings() throws IOException {
    Path prompts = folder.resolve("prompts.txt");
    Files.writeString(prompts, "blue dog\n\n  cat and dog  \n");
    Path grid = folder.resolve("new/grid.png");
    Path single = folder.resolve("single");
    CliRun run = CliRun.of("generate", "red cat", "--prompts", prompts, "--model", model, "--count", 2, "--steps", 3,
        "--seed", 9, "--negative", "dog", "--sampler", "ddim", "--guidance", 3, "--out", grid, "--individual", single)
        .assertDone();
    assertTrue(run.out().contains(grid.toString()) && run.out().contains("6 pictures"), run.out());
    RgbImage picture = ImageCodec.read(grid);
    assertTrue(picture.width() >= 2 * 10 && picture.height() >= 3 * 10, picture.width() + " x " + picture.height());
    try (Stream<Path> files = Files.list(single)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      assertEquals(List.of("000-red-cat-0.png", "001-red-cat-1.png", "002-blue-dog-0.png", "003-blue-dog-1.png",
          "004-cat-and-dog-0.png", "005-cat-and-dog-1.png"), names);
    }
    assertEquals("red cat\nNegative prompt: dog\n"
        + "Steps: 3, Sampler: ddim, CFG scale: 3.0, Seed: 9, Size: 10x10, Model: tiny, Image: 1",
        parameters(single.resolve("001-red-cat-1.png")));
    assertTrue(parameters(grid).startsWith("red cat\nblue dog\ncat and dog\nNegative prompt: dog\nSteps: 3"));
  }

  @Test
  void samePromptAndSeedGiveTheSameBytes() throws IOException {
    for (String name : List.of("a.png", "b.png")) {
      CliRun.of("generate", "red cat", "--model", model, "--steps", 2, "--out", folder.resolve(name)).assertDone();
    }
    assertArrayEquals(Files.readAllBytes(folder.resolve("a.png")), Files.readAllBytes(folder.resolve("b.png")));
  }

  @Test
  void graphsChangeNoPicture() throws IOException {
    assertArrayEquals(draw("--model", model), draw("--model", model, "--graphs"));
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    Path plain = folder.resolve("plain.png");
    Path recorded = folder.resolve("recorded.png");
    TestGpu.with(() -> CliRun.of("generate", "red cat", "--model", model, "--backend", "cuda", "--steps", 3, "--out",
        plain)).assertDone();
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
    }
    TestGpu.with(() -> CliRun.of("generate", "red cat", "--model", model, "--backend", "cuda", "--graphs", "--steps", 3,
        "--out", recorded)).assertDone();
    assertArrayEquals(Files.readAllBytes(plain), Files.readAllBytes(recorded));
    if (!TestGpu.isReal()) {
      assertEquals(2, CudaEmulator.calls("cuGraphLaunch"));
      assertEquals(List.of(), CudaEmulator.leaks());
    }
  }

  @Test
  void oneFileDrawsWhatTheFolderDraws() throws IOException {
    Path file = CliRun.saveTinyFile(folder.resolve("tiny.safetensors"));
    byte[] expected = draw("--model", model);
    assertArrayEquals(picture(expected), picture(draw("--model", file, "--model-config", model)));
    assertArrayEquals(picture(expected), picture(draw("--model", file, "--model-config", model, "--unet", file, "--vae",
        model.resolve("vae/diffusion_pytorch_model.safetensors"), "--tokenizer", model.resolve("tokenizer"))));
    assertArrayEquals(picture(expected), picture(draw("--model", model, "--storage", "f16")), "weights that are fp16");
    CliRun.of("generate", "cat", "--model", file).assertRefused("tiny.safetensors", "no tokenizer", "--tokenizer DIR");
    CliRun.of("generate", "cat", "--model", file, "--model-config", model, "--vae", folder)
        .assertRefused("config.json: there is no such file");
    CliRun.of("generate", "cat", "--model", model, "--model-config", model).assertRefused("--model-config", "own");
  }

  @Test
  void picturesTellTheOptionsOfTheirModel() throws IOException {
    Path file = CliRun.saveTinyFile(folder.resolve("tiny.safetensors"));
    draw("--model", file, "--model-config", model, "--unet", model.resolve("unet"), "--vae", file, "--storage", "bf16");
    String text = parameters(folder.resolve("one.png"));
    assertTrue(text.endsWith(", Model: tiny.safetensors, unet: \"" + model.resolve("unet") + "\", vae: \"" + file
        + "\", model-config: \"" + model + "\", storage: \"bf16\", Count: 1"), text);
    draw("--model", model, "--variant", "a\"b\\c");
    assertTrue(parameters(folder.resolve("one.png")).contains(", variant: \"a\\\"b\\\\c\""));
  }

  private byte[] draw(Object... options) throws IOException {
    Path out = folder.resolve("one.png");
    List<Object> words = new ArrayList<>(List.of("generate", "red cat", "--steps", 2, "--out", out));
    words.addAll(List.of(options));
    CliRun.of(words.toArray()).assertDone();
    return Files.readAllBytes(out);
  }

  private static byte[] picture(byte[] png) throws IOException {
    return ImageCodec.decode(png, "test").rgb();
  }

  @Test
  void sdxlIsDrawnWithItsOwnSamplerAndToldOfTheOrigin() throws IOException {
    Path xl = CliRun.saveTinyXlModel(folder.resolve("xl"));
    Path plain = folder.resolve("plain.png");
    Path told = folder.resolve("told.png");
    CliRun.of("generate", "red cat", "--model", xl, "--steps", 2, "--out", plain).assertDone();
    CliRun.of("generate", "red cat", "--model", xl, "--steps", 2, "--original-size", "40,30", "--crop", "3,0", "--out",
        told).assertDone();
    assertTrue(parameters(plain).contains("Sampler: euler,") && !parameters(plain).contains("Crop"), parameters(plain));
    assertTrue(parameters(told).contains("Original size: 40x30, Crop: 3,0"), parameters(told));
    assertFalse(Arrays.equals(ImageCodec.read(plain).rgb(), ImageCodec.read(told).rgb()));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--model MODEL                              | no prompt given",
      "--model MODEL cat --steps 0                | steps 0: expected at least 1",
      "--model MODEL cat --steps 2000             | asked for 2001",
      "--model MODEL cat --guidance -1            | guidance -1",
      "--model MODEL cat --guidance NaN           | guidance NaN",
      "--model MODEL cat --count 0                | --count 0",
      "--model MODEL cat --sampler heun           | sampler heun: expected one of ddim",
      "--model MODEL cat --width 7                | 7 x 10 pixels: this model draws multiples of 2",
      "--model MODEL cat --height -2              | -2 pixels: expected at least 1",
      "--model MODEL cat --original-size 20      | --original-size [20]: expected two numbers",
      "--model MODEL cat --crop 1,-1             | cropped at 1, -1: expected no negative",
      "--model MODEL cat --crop 1,0              | only SDXL is",
      "--model MODEL cat --backend tpu            | tpu: expected auto, cpu, cuda or cuda:N",
      "--model MODEL --prompts missing.txt        | missing.txt: there is no such file",
      "--model MODEL/gone cat                     | gone: there is no such model folder",
      "--model MODEL cat --out MODEL              | is a folder"})
  void badInputIsRefusedInOneLine(String line, String fault) {
    CliRun.of((Object[]) ("generate " + line.replace("MODEL", model.toString())).split(" ")).assertRefused(fault);
    assertFalse(Files.exists(Path.of("generated.png")));
  }

  private static String parameters(Path png) throws IOException {
    return PngText.read(Files.readAllBytes(png), png.toString()).get("parameters");
  }
}
