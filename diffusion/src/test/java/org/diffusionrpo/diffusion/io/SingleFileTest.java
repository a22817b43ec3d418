package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.diffusion.schedule.PredictionType;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A tiny model in one file; its settings and tokenizer are those of the same model's folder. */
class SingleFileTest {
  @TempDir Path temp;
  private final Backend backend = CpuBackend.poisoned();
  private StableDiffusion model;
  private Path folder;
  private Path file;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.create(backend);
    folder = temp.resolve("folder");
    file = temp.resolve("tiny.safetensors");
    model.save(folder, DType.F32);
  }

  @AfterEach
  void nothingIsLeftInMemory() {
    model.close();
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @ParameterizedTest
  @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
  void wholeFileLoadsWithTheSameWeightsAndIsSavedAsAFolder(DType dtype) throws IOException {
    OriginalFile.of(model).write(file, dtype);
    try (StableDiffusion loaded = load(file)) {
      assertSame(loaded, dtype);
      loaded.save(temp.resolve("copy"), dtype);
    }
    try (StableDiffusion loaded = StableDiffusion.load(temp.resolve("copy"), backend, LoadOptions.F32)) {
      assertSame(loaded, dtype);
    }
  }

  @Test
  void oldFilesWithoutTheFirstPartOfTheTextEncodersNamesLoad() throws IOException {
    OriginalFile.of(model).replaceAll("transformer\\.text_model\\.", "transformer.").write(file, DType.F32);
    try (StableDiffusion loaded = load(file)) {
      assertSame(loaded, DType.F32);
    }
  }

  @Test
  void publishedSettingsAreThoseOfTheFamily() throws IOException {
    OriginalFile.of(model).write(file, DType.F16);
    ModelSource sd15 = ModelLocation.of(file).open();
    assertEquals("StableDiffusionPipeline", sd15.pipelineClass());
    assertEquals(768, sd15.unet().config().integer("cross_attention_dim"));
    assertEquals(0.18215f, sd15.vae().config().number("scaling_factor", 0));
    assertEquals("PNDMScheduler", sd15.loadScheduler().value().className());
    OriginalFile.of(model).replaceAll("^cond_stage_model\\.", "conditioner.embedders.0.")
        .add("conditioner.embedders.1.model.text_projection", 2, 2).write(file, DType.F16);
    ModelSource sdxl = ModelLocation.of(file).open();
    assertEquals("StableDiffusionXLPipeline", sdxl.pipelineClass());
    assertTrue(sdxl.has(ModelFolder.TEXT_ENCODER_2));
    assertEquals(2048, sdxl.unet().config().integer("cross_attention_dim"));
    assertEquals(0.13025f, sdxl.vae().config().number("scaling_factor", 0));
    assertEquals("EulerDiscreteScheduler", sdxl.loadScheduler().value().className());
  }

  @Test
  void tokenizerMustBeNamed() throws IOException {
    OriginalFile.of(model).write(file, DType.F16);
    assertRefused(ModelLocation.of(file), "tiny.safetensors", "has no tokenizer", "--tokenizer DIR");
    Path tokenizer = folder.resolve("tokenizer");
    ModelSource source = new ModelLocation(file, null, null, tokenizer, null, null).open();
    assertEquals(523, source.loadTokenizer().vocabularySize());
    int[] first = source.loadTokenizer().encode("red cat").ids();
    int[] second = source.loadTokenizer2().encode("red cat").ids();
    assertEquals(522, first[first.length - 1]);
    assertEquals(0, second[second.length - 1], "SDXL's second tokenizer pads with !");
    assertArrayEquals(Arrays.copyOf(first, 4), Arrays.copyOf(second, 4));
  }

  @Test
  void whatDoesNotFitIsListedByComponentWithTheNearestName() throws IOException {
    OriginalFile.of(model).rename("model.diffusion_model.time_embed.0.bias", "model.diffusion_model.time_embd.0.bias")
        .rename("first_stage_model.decoder.mid.attn_1.q.bias", "first_stage_model.decoder.mid.attn_1.r.bias")
        .add("model.diffusion_model.out.2.bias", 7).add("some_addition.weight", 2).write(file, DType.F16);
    assertRefused(at(file), "unet: tensor \"model.diffusion_model.out.2.bias\" (F16 [7]) instead of [3]",
        "missing model.diffusion_model.time_embed.0.bias",
        "unknown model.diffusion_model.time_embd.0.bias (meant to be model.diffusion_model.time_embed.0.bias?)",
        "vae: missing first_stage_model.decoder.mid.attn_1.q.bias", "of no part: some_addition.weight");
    assertRefused(ModelLocation.of(file), "tokenizer");
  }

  @Test
  void marksTellTheScheduleOfNewerFiles() throws IOException {
    OriginalFile.of(model).add("v_pred", 0).add("ztsnr", 0).write(file, DType.F16);
    ModelSource source = new ModelLocation(file, null, null, folder.resolve("tokenizer"), null, null).open();
    assertEquals(PredictionType.V_PREDICTION, source.loadScheduler().value().predictionType());
    assertTrue(source.loadScheduler().config().flag("rescale_betas_zero_snr", false));
    assertEquals("", source.strangers());
  }

  @Test
  void modelOfAnotherSizeThanThePublishedIsRefused() throws IOException {
    OriginalFile.of(model).write(file, DType.F16);
    assertRefused(new ModelLocation(file, null, null, folder.resolve("tokenizer"), null, null),
        "text_encoder: ", "vae: ", "unet: ", "instead of [320, 4, 3, 3]", " more");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight | a LoRA",
      "unet.mid_block.attentions.0.proj_in.lora_A.weight | a LoRA",
      "cond_stage_model.model.transformer.resblocks.0.ln_1.weight | Stable Diffusion 2",
      "conditioner.embedders.0.model.transformer.resblocks.0.ln_1.weight | the refiner of SDXL",
      "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight | Stable Diffusion 3",
      "double_blocks.0.img_attn.qkv.weight | a Flux model",
      "control_model.input_blocks.0.0.weight | a ControlNet",
      "emb_params | a textual inversion",
      "encoder.conv_in.weight | a VAE alone, which --vae takes",
      "down_blocks.0.resnets.0.norm1.weight | a UNet alone, which --unet takes",
      "input_blocks.0.0.weight | a UNet alone",
      "model.diffusion_model.input_blocks.1.0.out_layers.3.weight | nothing but unet",
      "text_model.final_layer_norm.bias | a CLIP",
      "blocks.0.attn.qkv.weight | something else, with tensors such as blocks.0.attn.qkv.weight"})
  void fileOfAnotherKindIsToldBySight(String name, String family) throws IOException {
    new OriginalFile().add(name, 2, 2).write(file, DType.F16);
    assertRefused(at(file), "tiny.safetensors: is not a whole Stable Diffusion 1.x or SDXL", "seems to be", family);
  }

  @Test
  void inpaintingModelsAreToldByTheirFirstConvolution() throws IOException {
    OriginalFile.of(model).add("model.diffusion_model.input_blocks.0.0.weight", 16, 9, 3, 3).write(file, DType.F16);
    assertRefused(at(file), "an inpainting model");
  }

  @Test
  void pickleIsNotReadAndSettingsAreForFilesOnly() throws IOException {
    Path pickle = Files.write(temp.resolve("model.ckpt"), new byte[] {'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0});
    assertRefused(ModelLocation.of(pickle), "model.ckpt: is a PyTorch pickle");
    assertRefused(new ModelLocation(folder, null, pickle, null, null, null), "model.ckpt: is a PyTorch pickle");
    assertTrue(assertThrows(IllegalArgumentException.class, () -> at(folder).open()).getMessage()
        .contains("--model-config"));
  }

  @ParameterizedTest
  @CsvSource({"first_stage_model., true", "'', true", "'', false"})
  void vaeOfAFileTakesThePlaceOfTheModels(String prefix, boolean original) throws IOException {
    try (StableDiffusion other = other()) {
      Path vae = temp.resolve("vae.safetensors");
      OriginalFile content = new OriginalFile();
      (original ? content.addVae(prefix, other)
          : content.addAll(Naming.DIFFUSERS, other.vae().value().parameters())).write(vae, DType.F32);
      try (StableDiffusion loaded = load(new ModelLocation(folder, null, vae, null, null, null))) {
        StableDiffusionTest.assertSameValues(other.vae().value().parameters(), loaded.vae().value().parameters(),
            DType.F32);
        StableDiffusionTest.assertSameValues(model.unet().value().parameters(), loaded.unet().value().parameters(),
            DType.F32);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"input, original", "whole, original", "plain, diffusers"})
  void unetOfAFileTakesThePlaceOfTheModels(String kind, String naming) throws IOException {
    try (StableDiffusion other = other()) {
      Path unet = temp.resolve("unet.safetensors");
      OriginalFile content = kind.equals("whole") ? OriginalFile.of(other) : new OriginalFile();
      (naming.equals("original") ? content.addUnet(kind.equals("whole") ? "model.diffusion_model." : "", other)
          : content.addAll(Naming.DIFFUSERS, other.unet().value().parameters())).write(unet, DType.F32);
      OriginalFile.of(model).write(file, DType.F32);
      try (StableDiffusion loaded = load(new ModelLocation(file, unet, null, null, folder, null))) {
        StableDiffusionTest.assertSameValues(other.unet().value().parameters(), loaded.unet().value().parameters(),
            DType.F32);
      }
    }
  }

  @Test
  void partsOfOtherFoldersAndAVaeThatTheFileLacks() throws IOException {
    Path elsewhere = temp.resolve("elsewhere");
    try (StableDiffusion other = other()) {
      other.save(elsewhere, DType.F32);
      OriginalFile.of(model).dropAll("first_stage_model.").write(file, DType.F32);
      assertRefused(at(file), "holds no AutoencoderKL", "Stable Diffusion 1 without a VAE, which --vae gives");
      for (Path vae : Set.of(elsewhere, elsewhere.resolve("vae"))) {
        try (StableDiffusion loaded = load(
            new ModelLocation(file, elsewhere.resolve("unet"), vae, null, folder, null))) {
          StableDiffusionTest.assertSameValues(other.vae().value().parameters(), loaded.vae().value().parameters(),
              DType.F32);
          StableDiffusionTest.assertSameValues(other.unet().value().parameters(),
              loaded.unet().value().parameters(), DType.F32);
        }
      }
    }
  }

  @Test
  void fileThatIsNoVaeIsToldBySight() throws IOException {
    Path lora = new OriginalFile().add("lora_unet_x.lora_up.weight", 2, 2)
        .write(temp.resolve("x.safetensors"), DType.F16);
    assertRefused(new ModelLocation(folder, null, lora, null, null, null), "x.safetensors: holds no AutoencoderKL",
        "a LoRA");
    assertRefused(new ModelLocation(folder, temp.resolve("gone"), null, null, null, null), "gone");
  }

  @Test
  void openClipsJoinedAndTransposedMatricesAreTakenApart() throws IOException {
    Path settings = Files.createDirectories(temp.resolve("settings/text_encoder_2"));
    Files.writeString(settings.resolve("config.json"), """
        {"architectures": ["CLIPTextModelWithProjection"], "hidden_size": 4, "intermediate_size": 8,
         "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 5, "projection_dim": 3,
         "max_position_embeddings": 6, "hidden_act": "gelu"}""");
    ModelConfig config = ModelConfig.read(settings.resolve("config.json"));
    Parameters parameters = new Parameters();
    new ClipTextModel(parameters.root(), ClipTextConfig.from(config), true);
    parameters.initialize(backend, 3);
    String block = "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_";
    new OriginalFile().addAll(OpenClipMapping.text("conditioner.embedders.1.model."), parameters)
        .add(block + "weight", counted(48, 0), 12, 4).add(block + "bias", counted(12, 100), 12)
        .add("conditioner.embedders.1.model.text_projection", counted(12, 200), 4, 3)
        .add("conditioner.embedders.1.model.logit_scale").write(file, DType.F32);
    ComponentFile part = new ComponentFile(file, ComponentKind.TEXT_ENCODER_2, () -> config);
    try (TensorSource source = part.openWeights()) {
      WeightFiles.load(parameters, source, part.naming(source), "bigG", backend, Storage.F32);
      WeightFiles.copy(parameters, source, part.naming(source), temp, "copied");
    }
    try (TensorSource copied = TensorSource.open(temp, "copied", null)) {
      for (Parameter parameter : parameters.all()) {
        assertArrayEquals(parameter.value().toArray(), copied.readFloats(parameter.name()), parameter.name());
      }
    }
    String attention = "text_model.encoder.layers.0.self_attn.";
    assertArrayEquals(counted(16, 0), value(parameters, attention + "q_proj.weight"));
    assertArrayEquals(counted(16, 16), value(parameters, attention + "k_proj.weight"));
    assertArrayEquals(counted(4, 108), value(parameters, attention + "v_proj.bias"));
    assertArrayEquals(new float[] {200, 203, 206, 209, 201, 204, 207, 210, 202, 205, 208, 211},
        value(parameters, "text_projection.weight"));
    parameters.close();
  }

  private static float[] value(Parameters parameters, String name) {
    return parameters.get(name).value().toArray();
  }

  private static float[] counted(int length, int from) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = from + i;
    }
    return values;
  }

  /** A model with the same settings and other weights. */
  private StableDiffusion other() throws IOException {
    StableDiffusion other = TinyModel.create(backend);
    TinyModel.networks(other).forEach(parameters -> parameters.initialize(backend, 77));
    return other;
  }

  private ModelLocation at(Path path) {
    return new ModelLocation(path, null, null, null, folder, null);
  }

  private StableDiffusion load(Path path) throws IOException {
    return load(at(path));
  }

  private StableDiffusion load(ModelLocation location) throws IOException {
    return StableDiffusion.load(location.open(), backend, LoadOptions.F32);
  }

  private void assertSame(StableDiffusion loaded, DType dtype) {
    for (int i = 0; i < 3; i++) {
      StableDiffusionTest.assertSameValues(TinyModel.networks(model).get(i), TinyModel.networks(loaded).get(i), dtype);
    }
    assertArrayEquals(model.tokenizer().encode("red cats").ids(), loaded.tokenizer().encode("red cats").ids());
    assertEquals(model.scheduler().value(), loaded.scheduler().value());
  }

  private void assertRefused(ModelLocation location, String... parts) {
    long before = backend.memory().liveBytes();
    String message = assertThrows(IOException.class, () -> load(location)).getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
    assertFalse(message.contains("\n"), message);
    assertEquals(before, backend.memory().liveBytes(), "bytes in use after a failed load");
  }
}
