package org.diffusionrpo.diffusion.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.lora.TinyLora.Spelling;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every spelling of LoRA files, what is refused, and round trips. No weights of a model are needed. */
class LoraFileTest {
  private static final String TEXT = """
      {"architectures": ["CLIPTextModel"], "hidden_size": 12, "intermediate_size": 24, "num_hidden_layers": 1,
       "num_attention_heads": 2, "vocab_size": 523, "max_position_embeddings": 9, "hidden_act": "quick_gelu"}""";
  private static final String TO_Q = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  private static final LoraModules MODULES = modules(false);

  @TempDir private Path folder;

  static Stream<Arguments> families() {
    return Stream.of(
        Arguments.of("PEFT", new Spelling(l -> dotted(l) + ".lora_A.weight", l -> dotted(l) + ".lora_B.weight",
            l -> dotted(l) + ".alpha")),
        Arguments.of("diffusers", new Spelling(l -> dotted(l) + linear(l) + ".down.weight",
            l -> dotted(l) + linear(l) + ".up.weight", l -> dotted(l) + ".alpha")),
        Arguments.of("bare", new Spelling(l -> l.module() + ".lora_A.weight", l -> l.module() + ".lora_B.weight",
            l -> l.module() + ".alpha")),
        Arguments.of("PEFT with the name of its adapter", new Spelling(l -> dotted(l) + ".lora_A.default.weight",
            l -> dotted(l) + ".lora_B.default.weight", l -> dotted(l) + ".alpha")),
        Arguments.of("PEFT adapter folder", new Spelling(l -> "base_model.model." + l.module() + ".lora_A.weight",
            l -> "base_model.model." + l.module() + ".lora_B.weight", l -> l.module() + ".alpha")),
        Arguments.of("kohya", new Spelling(l -> kohya(l) + ".lora_down.weight", l -> kohya(l) + ".lora_up.weight",
            l -> kohya(l) + ".alpha")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("families")
  void everyFamilyIsRead(String family, Spelling spelling) throws IOException {
    for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
      Path file = folder.resolve(dtype + ".safetensors");
      List<LoraLayer> layers = TinyLora.layers(MODULES, TinyLora.MODULES, dtype, 1);
      TinyLora.write(file, layers, spelling);
      TinyLora.assertSame(layers, LoraReader.read(file, MODULES));
    }
  }

  @Test
  void attentionProcessorsAreRead() throws IOException {
    List<String> names = List.of(TO_Q, TO_Q.replace("to_q", "to_k"), TO_Q.replace("to_q", "to_v"),
        TO_Q.replace("to_q", "to_out.0"), "text_encoder.text_model.encoder.layers.0.self_attn.v_proj",
        "text_encoder.text_model.encoder.layers.0.self_attn.out_proj");
    List<LoraLayer> layers = TinyLora.layers(MODULES, names, DType.F32, 1);
    TinyLora.write(folder.resolve("f"), layers, new Spelling(l -> processor(l) + ".down.weight",
        l -> processor(l) + ".up.weight", l -> processor(l) + ".alpha"));
    TinyLora.assertSame(layers, LoraReader.read(folder.resolve("f"), MODULES));
  }

  @ParameterizedTest
  @EnumSource
  void writingAndReadingKeepsEverything(LoraFormat format) throws IOException {
    for (boolean xl : new boolean[] {false, true}) {
      LoraModules modules = modules(xl);
      List<String> names = xl ? List.of("unet.down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q",
          "unet.up_blocks.0.upsamplers.0.conv", "text_encoder_2.text_model.encoder.layers.0.mlp.fc2",
          "text_encoder.text_model.encoder.layers.0.mlp.fc1") : TinyLora.MODULES;
      List<LoraLayer> layers = TinyLora.layers(modules, names, DType.F16, 1);
      Path file = folder.resolve("a" + xl);
      LoraWriter.write(file, layers, format, modules);
      TinyLora.assertSame(layers, LoraReader.read(file, modules));
      Path again = folder.resolve("b" + xl);
      LoraWriter.write(again, LoraReader.read(file, modules), format, modules);
      assertArrayEquals(tensors(file), tensors(again));
    }
  }

  @Test
  void kohyaToPeftAndBackKeepsEveryByte() throws IOException {
    Path kohya = folder.resolve("kohya");
    Path peft = folder.resolve("peft");
    Path back = folder.resolve("back");
    LoraWriter.write(kohya, TinyLora.layers(MODULES, TinyLora.MODULES, DType.F16, 1), LoraFormat.KOHYA, MODULES);
    LoraWriter.write(peft, LoraReader.read(kohya, MODULES), LoraFormat.PEFT, MODULES);
    LoraWriter.write(back, LoraReader.read(peft, MODULES), LoraFormat.KOHYA, MODULES);
    try (SafetensorsFile a = SafetensorsFile.open(kohya); SafetensorsFile b = SafetensorsFile.open(back)) {
      assertEquals(a.names(), b.names());
    }
    assertArrayEquals(tensors(kohya), tensors(back));
  }

  @Test
  void writtenNamesAreTheOnesThatOthersKnow() throws IOException {
    List<LoraLayer> layers = TinyLora.layers(MODULES, List.of(TO_Q, TinyLora.MODULES.get(6)), DType.F32, 1);
    String path = TO_Q.substring(5);
    String fc1 = "text_model.encoder.layers.0.mlp.fc1";
    for (LoraFormat format : LoraFormat.values()) {
      Path file = folder.resolve(format.name());
      LoraWriter.write(file, layers, format, MODULES);
      try (SafetensorsFile written = SafetensorsFile.open(file)) {
        assertTrue(written.names().containsAll(switch (format) {
          case PEFT -> List.of("unet." + path + ".lora_A.weight", "text_encoder." + fc1 + ".lora_B.weight");
          case DIFFUSERS -> List.of("unet." + path + ".lora.down.weight",
              "text_encoder." + fc1 + ".lora_linear_layer.up.weight");
          case KOHYA -> List.of("lora_unet_" + path.replace('.', '_') + ".lora_down.weight",
              "lora_te_" + fc1.replace('.', '_') + ".alpha");
        }), () -> written.names().toString());
      }
    }
  }

  @Test
  void alphaComesFromTheMetadataOrIsTheRank() throws IOException {
    assertEquals(2, alpha(Map.of()), "the rank");
    assertEquals(8, alpha(Map.of("lora_adapter_metadata", "{\"unet.r\": 2, \"unet.lora_alpha\": 8}")));
    assertEquals(5, alpha(Map.of("lora_adapter_metadata",
        "{\"unet.lora_alpha\": 8, \"unet.alpha_pattern\": {\"attn1.to_q\": 5, \"attn2.to_q\": 6}}")));
    assertEquals(8 * Math.sqrt(2), alpha(Map.of("lora_adapter_metadata",
        "{\"unet.lora_alpha\": 8, \"unet.use_rslora\": true}")), 1e-12);
  }

  @Test
  void adapterFolderOfPeft() throws IOException {
    TinyLora.write(folder.resolve("adapter_model.safetensors"), pair("base_model.model." + TO_Q.substring(5)),
        Map.of());
    Files.writeString(folder.resolve("adapter_config.json"), "{\"r\": 2, \"lora_alpha\": 3, \"use_dora\": false}");
    assertEquals(3, LoraReader.read(folder, MODULES).get(0).alpha());
    Files.writeString(folder.resolve("adapter_config.json"), "{\"use_dora\": true}");
    assertRefused(folder, "DoRA");
  }

  @ParameterizedTest
  @CsvSource({"dora_scale, DoRA", "lora_magnitude_vector, DoRA", "hada_w1_a, LoHa", "lokr_w1, LoKr", "oft_blocks, OFT",
      "lora_mid.weight, CP decomposition"})
  void relativesAreRefused(String tensor, String kind) throws IOException {
    Map<TensorInfo, float[]> tensors = pair(TO_Q);
    tensors.put(TensorInfo.of(TO_Q + "." + tensor, DType.F32, 1), new float[1]);
    TinyLora.write(folder.resolve("f"), tensors, Map.of());
    assertRefused(folder.resolve("f"), kind, tensor);
  }

  @Test
  void otherTensorsAndHalvesOfPairsAreRefused() throws IOException {
    Map<TensorInfo, float[]> tensors = pair(TO_Q);
    tensors.put(TensorInfo.of(TO_Q + ".bias", DType.F32, 1), new float[1]);
    TinyLora.write(folder.resolve("f"), tensors, Map.of());
    assertRefused(folder.resolve("f"), "unknown kind", "to_q.bias");
    tensors = pair(TO_Q);
    tensors.keySet().removeIf(info -> info.name().contains("lora_B"));
    TinyLora.write(folder.resolve("f"), tensors, Map.of());
    assertRefused(folder.resolve("f"), "lora_A", "without its up part");
  }

  @Test
  void whatDoesNotFitTheModelIsOneErrorWithTheNearestName() throws IOException {
    TinyLora.write(folder.resolve("f"), pair(TO_Q.replace("to_q", "to_qq")), Map.of());
    assertRefused(folder.resolve("f"), "does not fit the model", "unknown module", "to_qq", "meant to be", TO_Q);
    TinyLora.write(folder.resolve("f"), pair("lora_te2_text_model_encoder_layers_0_mlp_fc1"), Map.of());
    assertRefused(folder.resolve("f"), "second text encoder");
    write(TO_Q, new int[] {2, 9}, new int[] {8, 2});
    assertRefused(folder.resolve("f"), "[2, 9]", "instead of [2, 8]");
    write(TO_Q, new int[] {2, 8}, new int[] {8, 3});
    assertRefused(folder.resolve("f"), "no pair", "[rank, in] and [out, rank]");
    write("unet.conv_in", new int[] {2, 4, 1, 1}, new int[] {8, 2, 1, 1});
    assertRefused(folder.resolve("f"), "instead of [2, 4, 3, 3]");
    Map<TensorInfo, float[]> twice = pair(TO_Q);
    twice.putAll(pair("lora_" + TO_Q.replace('.', '_')));
    TinyLora.write(folder.resolve("f"), twice, Map.of());
    assertRefused(folder.resolve("f"), "twice");
  }

  private double alpha(Map<String, String> metadata) throws IOException {
    TinyLora.write(folder.resolve("f"), pair(TO_Q), metadata);
    return LoraReader.read(folder.resolve("f"), MODULES).get(0).alpha();
  }

  private void write(String module, int[] down, int[] up) throws IOException {
    TinyLora.write(folder.resolve("f"), pair(module, down, up), Map.of());
  }

  private static Map<TensorInfo, float[]> pair(String module) {
    return pair(module, new int[] {2, 8}, new int[] {8, 2});
  }

  private static Map<TensorInfo, float[]> pair(String module, int[] down, int[] up) {
    Map<TensorInfo, float[]> tensors = new LinkedHashMap<>();
    for (TensorInfo info : List.of(TensorInfo.of(module + ".lora_A.weight", DType.F32, down),
        TensorInfo.of(module + ".lora_B.weight", DType.F32, up))) {
      tensors.put(info, new float[(int) info.elements()]);
    }
    return tensors;
  }

  private static void assertRefused(Path file, String... parts) {
    IOException e = assertThrows(IOException.class, () -> LoraReader.read(file, MODULES));
    assertEquals(1, e.getMessage().lines().count());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
  }

  /** Everything behind the header. */
  private static byte[] tensors(Path file) throws IOException {
    byte[] all = Files.readAllBytes(file);
    long header = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(all, 8 + (int) header, all.length);
  }

  private static String dotted(LoraLayer layer) {
    return layer.component() + "." + layer.module();
  }

  private static String linear(LoraLayer layer) {
    return layer.component().equals("unet") ? ".lora" : ".lora_linear_layer";
  }

  private static String kohya(LoraLayer layer) {
    return (layer.component().equals("unet") ? "lora_unet_" : "lora_te_") + layer.module().replace('.', '_');
  }

  private static String processor(LoraLayer layer) {
    int dot = dotted(layer).replace("to_out.0", "to_out").lastIndexOf('.');
    String last = dotted(layer).substring(dot + 1);
    return layer.component().equals("unet")
        ? dotted(layer).substring(0, dot) + ".processor." + last.replace(".0", "") + "_lora"
        : dotted(layer).substring(0, dot) + ".to_" + last.replace("_proj", "") + "_lora";
  }

  private static LoraModules modules(boolean xl) {
    Map<String, Parameters> components = new LinkedHashMap<>();
    UNet2DConditionModel unet = xl ? TinyModels.sdxlUnet() : TinyModels.sd15Unet();
    components.put(LoraModules.UNET, unet.parameters());
    try {
      for (String name : xl ? List.of(LoraModules.TEXT_ENCODER, LoraModules.TEXT_ENCODER_2)
          : List.of(LoraModules.TEXT_ENCODER)) {
        components.put(name, new ClipTextEncoder(ClipTextConfig.from(ModelConfig.parse("text", TEXT))).parameters());
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return new LoraModules(components, unet.config());
  }
}
