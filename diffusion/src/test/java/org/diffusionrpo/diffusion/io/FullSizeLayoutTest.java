package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.diffusion.clip.ClipVisionConfig;
import org.diffusionrpo.diffusion.clip.ClipVisionModel;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The published networks at full size, declared from their published configs: names and shapes of all tensors are those
 * of the published files. No weights are allocated.
 */
class FullSizeLayoutTest {
  private static final String CLIP_L_VISION = """
      {"hidden_act": "quick_gelu", "hidden_size": 1024, "image_size": 224, "intermediate_size": 4096,
       "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768}""";

  private static final String CLIP_L_336_VISION = CLIP_L_VISION.replace("224", "336");

  private static final String CLIP_H_TEXT = """
      {"hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
       "num_hidden_layers": 24, "projection_dim": 1024}""";

  private static final String CLIP_H_VISION = """
      {"hidden_act": "gelu", "hidden_size": 1280, "image_size": 224, "intermediate_size": 5120,
       "num_attention_heads": 16, "num_hidden_layers": 32, "patch_size": 14, "projection_dim": 1024}""";

  @Test
  void unetOfStableDiffusion15() throws IOException {
    try (UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(published("sd15", "unet")))) {
      check("unet-sd15", 859_520_964L, unet.parameters());
    }
  }

  @Test
  void unetOfSdxl() throws IOException {
    try (UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(published("sdxl", "unet")))) {
      check("unet-sdxl", 2_567_463_684L, unet.parameters());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void autoencoder(String family) throws IOException {
    try (AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(published(family, "vae")))) {
      check("vae", 83_653_863L, vae.parameters());
    }
  }

  @Test
  void textEncoderOfStableDiffusion15() throws IOException {
    check("clip-l14-text", 123_060_480L, text(published("sd15", "text_encoder"), false));
  }

  @Test
  void secondTextEncoderOfSdxl() throws IOException {
    check("openclip-bigg14-text-proj", 694_659_840L, text(published("sdxl", "text_encoder_2"), true));
  }

  @Test
  void clipL() throws IOException {
    check("clip-l14-full", 427_616_513L, clip(published("sdxl", "text_encoder"), CLIP_L_VISION));
  }

  @Test
  void visionTowerOfClipLAt336Pixels() throws IOException {
    Parameters parameters = new Parameters();
    new ClipVisionModel(parameters.root(), ClipVisionConfig.from(parse(CLIP_L_336_VISION)));
    check("clip-l14-336-vision-proj", 304_293_888L, parameters);
  }

  @Test
  void clipH() throws IOException {
    check("clip-h14-full", 986_109_441L, clip(parse(CLIP_H_TEXT), CLIP_H_VISION));
  }

  private static Parameters text(ModelConfig config, boolean withProjection) throws IOException {
    Parameters parameters = new Parameters();
    ClipTextModel text = new ClipTextModel(parameters.root(), ClipTextConfig.from(config), withProjection);
    assertEquals(49_407, text.config().eosToken(), "not the wrong eos_token_id of old configs");
    return parameters;
  }

  private static Parameters clip(ModelConfig text, String vision) throws IOException {
    try (ClipModel clip = new ClipModel(ClipTextConfig.from(text), ClipVisionConfig.from(parse(vision)))) {
      return clip.parameters();
    }
  }

  private static ModelConfig published(String family, String part) throws IOException {
    return SingleFile.published(family, part + "/config.json");
  }

  private static ModelConfig parse(String json) throws IOException {
    return ModelConfig.parse("published config", json);
  }

  private static void check(String manifest, long count, Parameters parameters) throws IOException {
    Map<String, String> declared = new TreeMap<>();
    for (Parameter parameter : parameters.all()) {
      int[] dims = CheckpointMapping.info(parameter, DType.F32).dims();
      declared.put(parameter.name(), Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining("x")));
      assertFalse(parameter.hasValue(), parameter.name());
    }
    assertEquals(lines(read(manifest)), lines(declared));
    assertEquals(count, parameters.count());
  }

  /** One tensor per line, so that a failure shows the difference. */
  private static String lines(Map<String, String> tensors) {
    return tensors.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).collect(Collectors.joining("\n"));
  }

  /** Shapes by name: a list with a tab between name and shape. */
  private static Map<String, String> read(String manifest) throws IOException {
    Map<String, String> tensors = new TreeMap<>();
    try (InputStream in = FullSizeLayoutTest.class.getResourceAsStream("/manifest/" + manifest + ".tsv.gz")) {
      assertNotNull(in, manifest);
      BufferedReader reader = new BufferedReader(
          new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8));
      for (String line : reader.lines().toList()) {
        String[] columns = line.split("\t", -1);
        tensors.put(columns[0], columns[1]);
      }
    }
    return tensors;
  }
}
