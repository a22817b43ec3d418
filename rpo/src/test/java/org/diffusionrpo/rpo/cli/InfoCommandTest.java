package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InfoCommandTest {
  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void save() throws IOException {
    model = CliRun.saveTinyModel(folder.resolve("tiny"));
  }

  @Test
  void modelFolderIsListedByParts() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      clip.save(model.resolve("clip"), DType.F32);
    }
    String out = CliRun.of("info", model).assertDone().out();
    for (String line : List.of("unet +UNet2DConditionModel +\\d+ +[0-9,]+ +[0-9.]+ KiB +F16", "vae +AutoencoderKL .*",
        "text_encoder +CLIPTextModel .*", "clip +CLIPModel .*F32", "total .*", "tokenizer +523 tokens.*up to 9",
        "scheduler +PNDMScheduler, 1000 timesteps, predicts epsilon")) {
      assertTrue(out.lines().anyMatch(text -> text.matches(line)), line + " in\n" + out);
    }
  }

  @Test
  void sdxlHasTwoTextEncodersAndTokenizers() throws IOException {
    String out = CliRun.of("info", CliRun.saveTinyXlModel(folder.resolve("xl"))).assertDone().out();
    for (String line : List.of("text_encoder_2 +CLIPTextModelWithProjection .*", "pipeline +StableDiffusionXLPipeline",
        "tokenizer_2 +523 tokens.*up to 9", "scheduler +EulerDiscreteScheduler.*")) {
      assertTrue(out.lines().anyMatch(text -> text.matches(line)), line + " in\n" + out);
    }
  }

  @Test
  void partAndSingleFileAreListedToo() {
    assertTrue(CliRun.of("info", model.resolve("vae")).assertDone().out().contains("AutoencoderKL"));
    String out = CliRun.of("info", model.resolve("unet/diffusion_pytorch_model.safetensors"), "--tensors")
        .assertDone().out();
    assertTrue(out.contains("metadata   format: pt") && out.contains("F16   conv_in.weight [16, 3, 3, 3]"), out);
  }

  @Test
  void oneFileIsListedAsTheFolderIs() throws IOException {
    Path file = CliRun.saveTinyFile(folder.resolve("tiny.safetensors"));
    String expected = CliRun.of("info", model).assertDone().out();
    String out = CliRun.of("info", file, "--model-config", model).assertDone().out();
    assertEquals(expected.lines().skip(1).toList(), out.lines().skip(1).filter(line -> !line.startsWith("content")
        && !line.startsWith("metadata")).toList());
    assertTrue(out.contains("content    Stable Diffusion 1\n"), out);
    out = CliRun.of("info", file, "--vae", model.resolve("vae")).assertDone().out();
    assertTrue(out.contains("StableDiffusionPipeline") && out.contains("tokenizer  none"), out);
  }

  @Test
  void fileOfOnePartSaysWhatItIs() {
    String out = CliRun.of("info", model.resolve("vae/diffusion_pytorch_model.safetensors")).assertDone().out();
    assertTrue(out.contains("AutoencoderKL") && out.contains("content    a VAE alone, which --vae takes"), out);
  }

  @Test
  void sizesAreReadable() {
    assertEquals("859,520,964", ModelSummary.count(859_520_964));
    assertEquals("999", ModelSummary.count(999));
    assertEquals("17 B", ModelSummary.size(17));
    assertEquals("3.2 GiB", ModelSummary.size(3_438_083_856L));
  }

  @Test
  void badInputIsRefusedInOneLine() throws IOException {
    CliRun.of("info", folder.resolve("gone")).assertRefused("gone", "no such model folder");
    CliRun.of("info", folder).assertRefused("no model_index.json");
    Path text = Files.writeString(folder.resolve("notes.txt"), "hello world");
    CliRun.of("info", text).assertRefused("notes.txt", "safetensors");
    Files.delete(model.resolve("vae/config.json"));
    CliRun.of("info", model).assertRefused("vae", "config.json: there is no such file");
    Files.writeString(model.resolve("vae/config.json"), "{}");
    Files.delete(model.resolve("vae/diffusion_pytorch_model.safetensors"));
    CliRun.of("info", model).assertRefused("vae", "no weights");
  }
}
