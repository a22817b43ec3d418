package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.PngText;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraConfig;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraWriter;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code drpo lora} and {@code --lora} of the other commands. */
class LoraCommandTest {
  @TempDir static Path shared;
  @TempDir Path folder;
  private static Path model;
  private static Path lora;

  @BeforeAll
  static void save() throws IOException {
    model = CliRun.saveTinyModel(shared.resolve("tiny"));
    lora = shared.resolve("style.safetensors");
    try (Backend backend = new CpuBackend();
        StableDiffusion diffusion = StableDiffusion.load(model, backend, LoadOptions.F32);
        LoraAdapters adapters = LoraAdapters.attach(diffusion.unet().value(), LoraConfig.of(2, 4, "attn-mlp"))) {
      TestTensors.randomize(adapters.parameters(), backend, 7);
      LoraWriter.write(lora, adapters.layers(), LoraFormat.PEFT, LoraModules.of(diffusion));
    }
  }

  @Test
  void infoTellsRankAlphaAndTargets() {
    Path kohya = folder.resolve("kohya.safetensors");
    CliRun.of("lora", "convert", lora, kohya, "--format", "kohya", "--model", model).assertDone();
    for (Path file : List.of(lora, kohya)) {
      String out = CliRun.of("lora", "info", file).assertDone().out();
      assertTrue(out.matches("(?s).*unet +40 +4,672 +2 +4 +attn1.to_k, attn1.to_out.0, .*"), out);
      assertTrue(out.contains("attn2.to_v") && out.contains("ff.net.0.proj") && out.contains("ff.net.2"), out);
    }
  }

  @Test
  void convertingBackGivesTheSameFile() throws IOException {
    Path kohya = folder.resolve("new/kohya.safetensors");
    Path peft = folder.resolve("peft.safetensors");
    assertTrue(CliRun.of("lora", "convert", lora, kohya, "--format", "kohya", "--model", model).assertDone().out()
        .contains("40 layers"));
    CliRun.of("lora", "convert", kohya, peft, "--format", "peft", "--model", model).assertDone();
    CliRun.of("lora", "convert", peft, folder.resolve("again"), "--format", "peft", "--model", model).assertDone();
    assertArrayEquals(Files.readAllBytes(peft), Files.readAllBytes(folder.resolve("again")));
  }

  @Test
  void aMergedModelDrawsWhatTheModelWithTheLoraDraws() throws IOException {
    Path merged = folder.resolve("merged");
    CliRun.of("lora", "merge", "--model", model, "--lora", lora + ":0.25", "--lora", lora + ":0.25", "--out", merged,
        "--dtype", "f32").assertDone();
    byte[] base = pixels(draw(model));
    byte[] twice = pixels(draw(model, "--lora", lora + ":0.25", "--lora", lora + ":0.25"));
    assertFalse(Arrays.equals(base, twice));
    assertArrayEquals(twice, pixels(draw(merged)));
    assertArrayEquals(base, pixels(draw(model, "--lora", lora + ":0")));
  }

  @Test
  void mergeAndConvertTakeAModelInOneFile() throws IOException {
    Path file = CliRun.saveTinyFile(folder.resolve("tiny.safetensors"));
    Path fromFolder = folder.resolve("from-folder");
    Path fromFile = folder.resolve("from-file");
    CliRun.of("lora", "merge", "--model", model, "--lora", lora, "--out", fromFolder).assertDone();
    CliRun.of("lora", "merge", "--model", file, "--model-config", model, "--unet", file, "--storage", "f32", "--lora",
        lora, "--out", fromFile).assertDone();
    for (String network : List.of("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")) {
      String weights = network + ".safetensors";
      assertArrayEquals(Files.readAllBytes(fromFolder.resolve(weights)), Files.readAllBytes(fromFile.resolve(weights)));
    }
    Path a = folder.resolve("a.safetensors");
    Path b = folder.resolve("b.safetensors");
    CliRun.of("lora", "convert", lora, a, "--format", "kohya", "--model", model).assertDone();
    CliRun.of("lora", "convert", lora, b, "--format", "kohya", "--model", file, "--model-config", model).assertDone();
    assertArrayEquals(Files.readAllBytes(a), Files.readAllBytes(b));
    CliRun.of("lora", "merge", "--model", file, "--lora", lora, "--out", fromFile)
        .assertRefused("tiny.safetensors", "no tokenizer", "--tokenizer DIR");
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate", "align", "encode", "plan", "lora merge", "lora convert"})
  void everyCommandNamesItsModelInTheSameWords(String command) {
    String help = CliRun.of((Object[]) (command + " --help").split(" ")).assertDone().out().replaceAll("\\s+", " ");
    assertTrue(help.contains("--model=PATH") && help.contains("Model folder in the layout of diffusers, or a .safetensors "
        + "file with a whole model (default: the bundled model)."), help);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "generate cat --model MODEL --lora gone.safetensors             | gone.safetensors: there is no such file",
      "generate cat --model MODEL --lora LORA:NaN                     | expected a finite scale",
      "generate cat --model MODEL --lora MODEL/unet/diffusion_pytorch_model.safetensors | is no LoRA",
      "lora info MODEL/unet/diffusion_pytorch_model.safetensors       | is no LoRA",
      "lora merge --model MODEL --out MODEL/vae --lora LORA           | is not an earlier save",
      "lora merge --model MODEL --out x                               | --lora",
      "lora convert LORA MODEL --format kohya --model MODEL           | is a folder",
      "lora convert LORA x --format webui --model MODEL               | webui",
      "compare --lora 4                                               | unknown option"})
  void badInputIsRefusedInOneLine(String line, String fault) {
    CliRun.of((Object[]) line.replace("MODEL", model.toString()).replace("LORA", lora.toString()).split(" +"))
        .assertRefused(fault);
    assertFalse(Files.exists(Path.of("x")));
  }

  @Test
  void picturesTellTheirLoras() throws IOException {
    byte[] png = draw(model, "--lora", lora + ":0.5");
    assertEquals("style.safetensors:0.5", PngText.read(png, "png").get("parameters")
        .replaceFirst("(?s).*Loras: \"(.*?)\".*", "$1"));
  }

  private static byte[] pixels(byte[] png) throws IOException {
    return ImageCodec.decode(png, "picture").rgb();
  }

  private byte[] draw(Path from, String... more) throws IOException {
    Path file = folder.resolve("picture.png");
    Object[] args = new Object[8 + more.length];
    System.arraycopy(new Object[] {"generate", "red cat", "--model", from, "--steps", 2, "--out", file}, 0, args, 0, 8);
    System.arraycopy(more, 0, args, 8, more.length);
    CliRun.of(args).assertDone();
    return Files.readAllBytes(file);
  }
}
