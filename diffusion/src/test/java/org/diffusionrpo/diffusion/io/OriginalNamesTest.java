package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The full-size networks, whose names and shapes {@link FullSizeLayoutTest} compares with the published files, ask for
 * exactly the tensors of the original checkpoints. No weights are allocated.
 */
class OriginalNamesTest {
  private static final String UNET = "model.diffusion_model.";
  private static final String VAE = "first_stage_model.";
  private static final String BIGG = "conditioner.embedders.1.model.";

  @Test
  void unetOfStableDiffusion15() throws IOException {
    assertAsksFor(UNET, OriginalLayout.unet(320, new int[] {1, 2, 4, 4}, new int[] {1, 1, 1, 0}, 1, 768, false, 0),
        ComponentKind.UNET, "sd15", unet("sd15"));
  }

  @Test
  void unetOfSdxl() throws IOException {
    assertAsksFor(UNET, OriginalLayout.unet(320, new int[] {1, 2, 4}, new int[] {0, 2, 10}, 10, 2048, true, 2816),
        ComponentKind.UNET, "sdxl", unet("sdxl"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void autoencoder(String family) throws IOException {
    try (AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(config(family, ComponentKind.VAE)))) {
      assertAsksFor(VAE, OriginalLayout.vae(), ComponentKind.VAE, family, vae.parameters());
    }
  }

  @Test
  void secondTextEncoderOfSdxl() throws IOException {
    Map<String, String> original = OriginalLayout.bigG();
    original.remove("logit_scale"); // in the files, but no parameter
    Parameters parameters = new Parameters();
    new ClipTextModel(parameters.root(), ClipTextConfig.from(config("sdxl", ComponentKind.TEXT_ENCODER_2)), true);
    assertAsksFor(BIGG, original, ComponentKind.TEXT_ENCODER_2, "sdxl", parameters);
  }

  @Test
  void firstTextEncoderHasItsNamesUnderAPrefix() throws IOException {
    for (String prefix : Set.of("cond_stage_model.transformer.", "conditioner.embedders.0.transformer.")) {
      Naming naming = ComponentKind.TEXT_ENCODER.naming(
          Set.of(prefix + "x"), config("sd15", ComponentKind.TEXT_ENCODER));
      assertEquals(prefix, naming.prefix());
      assertEquals("[text_model.final_layer_norm.bias, final_layer_norm.bias]", naming.places()
          .apply("text_model.final_layer_norm.bias").stream().map(FileTensor::name).toList().toString());
    }
  }

  private static Parameters unet(String family) throws IOException {
    try (UNet2DConditionModel unet = new UNet2DConditionModel(
        UNetConfig.from(config(family, ComponentKind.UNET)))) {
      return unet.parameters();
    }
  }

  private static ModelConfig config(String family, ComponentKind kind) throws IOException {
    return SingleFile.published(family, kind.folder() + "/config.json");
  }

  private static void assertAsksFor(String prefix, Map<String, String> original, ComponentKind kind, String family,
      Parameters parameters) throws IOException {
    Naming naming = kind.naming(Set.of(prefix + "x"), config(family, kind));
    Map<String, String> asked = new TreeMap<>();
    for (Parameter parameter : parameters.all()) {
      FileTensor place = naming.expected(parameter);
      asked.put(place.name(), shape(original.get(place.name().substring(prefix.length())), place.dims(parameter)));
    }
    Map<String, String> expected = new TreeMap<>();
    original.forEach((name, shape) -> expected.put(prefix + name, shape));
    assertEquals(lines(expected), lines(asked));
  }

  /** [O, I] and [O, I, 1, 1] are the same matrix: the VAE's attention has four axes in the original files. */
  private static String shape(String original, int[] dims) {
    String asked = Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining("x"));
    return (asked + "x1x1").equals(original) ? original : asked;
  }

  /** One tensor per line, so that a failure shows the difference. */
  private static String lines(Map<String, String> tensors) {
    return tensors.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).collect(Collectors.joining("\n"));
  }
}
