package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StableDiffusionTest {
  private static final String UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

  @TempDir Path folder;
  private final Backend backend = new CpuBackend();
  private StableDiffusion model;
  private Path path;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.create(backend);
    path = folder.resolve("model");
    model.save(path, DType.F32);
  }

  @AfterEach
  void nothingIsLeftInMemory() {
    model.close();
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @ParameterizedTest
  @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
  void savedModelLoadsWithTheSameWeightsAndSettings(DType dtype) throws IOException {
    Path copy = folder.resolve("copy");
    model.save(copy, dtype);
    try (StableDiffusion loaded = StableDiffusion.load(copy, backend, LoadOptions.F32)) {
      for (int i = 0; i < 3; i++) {
        assertSameValues(TinyModel.networks(model).get(i), TinyModel.networks(loaded).get(i), dtype);
      }
      assertEquals(model.unet().config().json(), loaded.unet().config().json());
      assertEquals(model.vae().config().json(), loaded.vae().config().json());
      assertEquals(model.textEncoder().config().json(), loaded.textEncoder().config().json());
      assertEquals(model.scheduler().value(), loaded.scheduler().value());
      assertArrayEquals(model.tokenizer().encode("red cats").ids(), loaded.tokenizer().encode("red cats").ids());
    }
    try (SafetensorsFile file = SafetensorsFile.open(copy.resolve(UNET_WEIGHTS))) {
      assertTrue(file.names().stream().allMatch(name -> file.info(name).dtype() == dtype));
    }
  }

  @ParameterizedTest
  @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
  void weightsOfALoadedModelAreSavedByteForByte(DType dtype) throws IOException {
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    model.save(first, dtype);
    try (StableDiffusion loaded = StableDiffusion.load(first, backend, LoadOptions.F32)) {
      loaded.save(second, dtype);
    }
    for (String file : List.of(UNET_WEIGHTS, "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors", "unet/config.json")) {
      assertArrayEquals(Files.readAllBytes(first.resolve(file)), Files.readAllBytes(second.resolve(file)), file);
    }
  }

  @Test
  void settingsThatThisProgramDoesNotKnowSurviveARoundTrip() throws IOException {
    edit("unet/config.json", "{", "{\"_name_or_path\": \"x\", \"some_future_key\": [1, {\"a\": null}],");
    edit("scheduler/scheduler_config.json", "{", "{\"some_future_key\": 1,");
    edit("model_index.json", "{", "{\"some_option\": false, \"safety_checker_2\": [\"a\", \"b\"],");
    Path copy = folder.resolve("copy");
    try (StableDiffusion loaded = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      loaded.save(copy, DType.F32);
    }
    for (String file : List.of("unet/config.json", "scheduler/scheduler_config.json", "vae/config.json")) {
      assertEquals(Files.readString(path.resolve(file)).replaceAll("\\s", ""),
          Files.readString(copy.resolve(file)).replaceAll("\\s", ""));
    }
    String index = Files.readString(copy.resolve("model_index.json")).replaceAll("\\s", "");
    assertTrue(index.contains("\"some_option\":false") && index.contains("\"safety_checker_2\":[null,null]"), index);
  }

  @Test
  void halfStorageKeepsMatricesInHalfAndRoundsThem() throws IOException {
    try (StableDiffusion loaded = StableDiffusion.load(path, backend,
        new LoadOptions(Storage.F32, Storage.BF16, true))) {
      Parameter conv = loaded.vae().value().parameters().get("decoder.conv_in.weight");
      assertEquals(Storage.BF16, conv.value().storage());
      assertEquals(Storage.F32, loaded.unet().value().parameters().get("conv_in.weight").value().storage());
      loaded.unet().value().parameters().unfreeze();
    }
  }

  @Test
  void variantIsTakenWhereThereIsOne() throws IOException {
    Files.move(path.resolve(UNET_WEIGHTS), path.resolve("unet/diffusion_pytorch_model.fp16.safetensors"));
    ModelFolder plain = ModelFolder.open(path);
    assertMessage(assertThrows(IOException.class, () -> plain.loadUNet(backend, Storage.F32, false)), "unet",
        "no weights", "diffusion_pytorch_model.safetensors");
    StableDiffusion.load(plain.withVariant("fp16"), backend, LoadOptions.F32).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "fp16", "old"})
  void shardsAreNamedAsDiffusersDoesAndLoad(String variant) throws IOException {
    Parameters unet = model.unet().value().parameters();
    Files.delete(path.resolve(UNET_WEIGHTS));
    String stem = "diffusion_pytorch_model";
    WeightFiles.save(unet, path.resolve("unet"), stem, DType.F16, p -> p.value().toArray(), 40_000);
    Path index = path.resolve("unet/" + stem + ".safetensors.index.json");
    String map = Files.readString(index);
    assertTrue(map.contains("\"total_size\" : " + 2 * unet.count()), map);
    try (Stream<Path> files = Files.list(path.resolve("unet"))) {
      List<String> shards = files.map(file -> file.getFileName().toString()).filter(name -> name.contains("-of-"))
          .sorted().toList();
      for (int i = 0; i < shards.size(); i++) {
        assertEquals(String.format("%s-%05d-of-%05d.safetensors", stem, i + 1, shards.size()), shards.get(i));
        if (!variant.isEmpty()) { // two generations of names
          String renamed = variant.equals("fp16") ? shards.get(i).replace(stem, stem + ".fp16")
              : shards.get(i).replace(".safetensors", ".fp16.safetensors");
          Files.move(path.resolve("unet").resolve(shards.get(i)), path.resolve("unet").resolve(renamed));
          map = map.replace(shards.get(i), renamed);
        }
      }
      assertTrue(shards.size() > 2, shards.toString());
    }
    if (!variant.isEmpty()) {
      Files.delete(index);
      Files.writeString(path.resolve("unet/" + stem
          + (variant.equals("fp16") ? ".safetensors.index.fp16.json" : ".safetensors.fp16.index.json")), map);
    }
    ModelFolder source = ModelFolder.open(path).withVariant(variant.isEmpty() ? null : "fp16");
    try (StableDiffusion loaded = StableDiffusion.load(source, backend, LoadOptions.F32)) {
      assertSameValues(unet, loaded.unet().value().parameters(), DType.F16);
    }
  }

  @Test
  void attentionOfOlderVaesLoads() throws IOException {
    Parameters vae = model.vae().value().parameters();
    new OriginalFile().addAll(Naming.DIFFUSERS, vae).replaceAll("(attentions\\.0\\.)to_q\\.", "$1query.")
        .replaceAll("(attentions\\.0\\.)to_k\\.", "$1key.").replaceAll("(attentions\\.0\\.)to_v\\.", "$1value.")
        .replaceAll("(attentions\\.0\\.)to_out\\.0\\.", "$1proj_attn.")
        .write(path.resolve("vae/diffusion_pytorch_model.safetensors"), DType.F32);
    try (StableDiffusion loaded = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      assertSameValues(vae, loaded.vae().value().parameters(), DType.F32);
    }
  }

  @Test
  void clipBehindASymbolicLinkIsCopiedWithItsFiles() throws IOException {
    Path elsewhere = folder.resolve("elsewhere");
    try (Clip clip = TinyModel.createClip(backend)) {
      clip.save(elsewhere, DType.F16);
    }
    Files.createSymbolicLink(path.resolve("clip"), elsewhere);
    Path copy = folder.resolve("copy");
    try (StableDiffusion loaded = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      loaded.save(copy, DType.F16);
    }
    assertFalse(Files.isSymbolicLink(copy.resolve("clip")));
    Clip.load(copy.resolve("clip"), backend, Storage.F32).close();
  }

  @Test
  void clipBesideThePipelineIsKept() throws IOException {
    try (Clip clip = TinyModel.createClip(backend)) {
      clip.save(path.resolve("clip"), DType.F16);
    }
    Path copy = folder.resolve("copy");
    try (StableDiffusion loaded = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      loaded.save(copy, DType.F16);
      loaded.save(path, DType.F32); // onto itself: the CLIP it refers to lies in the folder that is replaced
    }
    Clip.load(copy.resolve("clip"), backend, Storage.F32).close();
    Clip.load(path.resolve("clip"), backend, Storage.F32).close();
  }

  @Test
  void saveReplacesAnEarlierSaveAndNothingElse() throws IOException {
    Files.writeString(path.resolve("leftover.txt"), "of the earlier save");
    model.save(path, DType.F16);
    assertFalse(Files.exists(path.resolve("leftover.txt")));
    Path home = Files.createDirectory(folder.resolve("home"));
    Files.writeString(home.resolve("thesis.tex"), "precious");
    assertMessage(assertThrows(IOException.class, () -> model.save(home, DType.F16)), "home", "choose another folder");
    assertTrue(Files.exists(home.resolve("thesis.tex")));
  }

  @Test
  void failedSaveLeavesNothingBehind() throws IOException {
    model.textEncoder().value().close();
    assertThrows(IllegalStateException.class, () -> model.save(folder.resolve("new"), DType.F32));
    assertThrows(IllegalStateException.class, () -> model.save(path, DType.F32));
    try (Stream<Path> children = Files.list(folder)) {
      assertEquals(List.of(path), children.toList());
    }
    StableDiffusion.load(path, backend, LoadOptions.F32).close();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "nowhere | nowhere: there is no such model folder",
      "model/model_index.json | is a file; expected a model folder",
      "model/unet | no model_index.json"})
  void wrongPathIsOneClearError(String wrong, String fault) {
    assertMessage(assertThrows(IOException.class, () -> ModelFolder.open(folder.resolve(wrong))), fault);
  }

  @Test
  void missingPartsAreListedTogether() throws IOException {
    Files.move(path.resolve("vae"), path.resolve("vea"));
    edit("model_index.json", "tokenizer", "tokeniser");
    assertMessage(assertThrows(IOException.class, () -> ModelFolder.open(path)), "vae/",
        "tokenizer (not in model_index.json)");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "unet/config.json | [16, 32] | [16, 24] | unet | instead of | more",
      "unet/config.json | block_out_channels | block_out_chanels | unet/config.json | block_out_channels | missing",
      "unet/config.json | UNet2DConditionModel | UNet3D | unet/config.json | UNet3D | expected UNet2DConditionModel",
      "unet/config.json | : 8 | : 7 | unet/config.json | 7 groups | 16 channels",
      "unet/config.json | 12, | \"12\", | unet/config.json | cross_attention_dim | whole number",
      "vae/config.json | { | [ | vae/config.json | not valid JSON | ''",
      "scheduler/scheduler_config.json | 0.012 | 12 | scheduler_config.json | beta_end | between 0 and 1",
      "text_encoder/config.json | 523 | 100 | text_encoder | token_embedding | instead of",
      "tokenizer/vocab.json | { | { x | vocab.json | tokenizer | ''",
      "tokenizer/tokenizer_config.json | : 9 | : 20 | model_max_length is 20 | max_position_embeddings only 9 | ''"})
  void damagedConfigIsOneErrorThatNamesFileAndFault(String file, String from, String to, String first, String second,
      String third) throws IOException {
    edit(file, from, to);
    long before = backend.memory().liveBytes();
    assertMessage(assertThrows(IOException.class, () -> StableDiffusion.load(path, backend, LoadOptions.F32)),
        first, second, third);
    assertEquals(before, backend.memory().liveBytes(), "bytes in use after a failed load");
  }

  @Test
  void missingAndUnknownTensorsAreListedWithTheirLikelyNames() throws IOException {
    Path weights = path.resolve(UNET_WEIGHTS);
    byte[] bytes = Files.readAllBytes(weights);
    byte[] name = "conv_in.bias".getBytes(StandardCharsets.UTF_8);
    int at = indexOf(bytes, name);
    bytes[at + name.length - 1] = 'z';
    Files.write(weights, bytes);
    assertMessage(assertThrows(IOException.class, () -> StableDiffusion.load(path, backend, LoadOptions.F32)),
        "unet", "missing conv_in.bias", "unknown conv_in.biaz (meant to be conv_in.bias?)");
  }

  @Test
  void truncatedWeightsAreAnErrorThatNamesTheFile() throws IOException {
    Path weights = path.resolve(UNET_WEIGHTS);
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(bytes, bytes.length - 4));
    assertMessage(assertThrows(IOException.class, () -> StableDiffusion.load(path, backend, LoadOptions.F32)),
        weights.toString());
  }

  private void edit(String file, String from, String to) throws IOException {
    String text = Files.readString(path.resolve(file)).replaceAll("\\s*\\n\\s*", " ").replace("[ ", "[")
        .replace(" ]", "]").replace(" :", ":");
    assertTrue(text.contains(from), text);
    Files.writeString(path.resolve(file), text.replaceFirst(Pattern.quote(from), to));
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    int at = 0;
    while (!Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
      at++;
    }
    return at;
  }

  static void assertSameValues(Parameters expected, Parameters actual, DType dtype) {
    for (Parameter parameter : expected.all()) {
      float[] values = parameter.value().toArray();
      for (int i = 0; i < values.length; i++) {
        values[i] = switch (dtype) {
          case F16 -> HalfFloats.fromFp16(HalfFloats.toFp16(values[i]));
          case BF16 -> HalfFloats.fromBf16(HalfFloats.toBf16(values[i]));
          default -> values[i];
        };
      }
      assertArrayEquals(values, actual.get(parameter.name()).value().toArray(), parameter.name());
    }
  }

  private static void assertMessage(Exception exception, String... parts) {
    String message = exception.getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertFalse(message.contains("\n"), message);
  }
}
