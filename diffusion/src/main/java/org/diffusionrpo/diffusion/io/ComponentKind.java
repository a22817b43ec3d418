package org.diffusionrpo.diffusion.io;

import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.VaeConfig;

/** The networks of a Stable Diffusion and how to tell from a file's names which naming it uses for them. */
enum ComponentKind {
  UNET(ModelFolder.UNET, "UNet2DConditionModel", List.of("model.diffusion_model."),
      List.of("input_blocks.", "down_blocks.")),
  VAE(ModelFolder.VAE, "AutoencoderKL", List.of("first_stage_model."), List.of("encoder.conv_in.", "decoder.conv_in.")),
  TEXT_ENCODER(ModelFolder.TEXT_ENCODER, "CLIPTextModel",
      List.of("cond_stage_model.transformer.", "conditioner.embedders.0.transformer."), List.of("text_model.")),
  TEXT_ENCODER_2(ModelFolder.TEXT_ENCODER_2, "CLIPTextModelWithProjection", List.of("conditioner.embedders.1.model."),
      List.of("text_model."));

  private final String folder;
  private final String className;
  /** What the network's names begin with in a whole model's file. */
  private final List<String> prefixes;
  /** How names begin in a file of the network alone. */
  private final List<String> alone;

  ComponentKind(String folder, String className, List<String> prefixes, List<String> alone) {
    this.folder = folder;
    this.className = className;
    this.prefixes = prefixes;
    this.alone = alone;
  }

  /** The part's name in a model folder. */
  String folder() {
    return folder;
  }

  String className() {
    return className;
  }

  /** What the network's names begin with in this file; empty for a file of the network alone. */
  String prefix(Set<String> names) {
    return prefixes.stream().filter(prefix -> anyStarts(names, prefix)).findFirst().orElse("");
  }

  boolean isIn(Set<String> names) {
    return !prefix(names).isEmpty() || isAloneIn(names);
  }

  /** True if the file has the network without a prefix. */
  boolean isAloneIn(Set<String> names) {
    return alone.stream().anyMatch(start -> anyStarts(names, start));
  }

  /** The naming of a file that has the network in it. */
  Naming naming(Set<String> names, ModelConfig config) {
    String prefix = prefix(names);
    boolean original = !prefix.isEmpty();
    return switch (this) {
      case UNET -> original || anyStarts(names, "input_blocks.") ? LdmMapping.unet(prefix, UNetConfig.from(config))
          : Naming.DIFFUSERS;
      case VAE -> original || anyStarts(names, "encoder.down.") || anyStarts(names, "decoder.up.")
          ? LdmMapping.vae(prefix, VaeConfig.from(config).blockOutChannels().size()) : Naming.DIFFUSERS;
      case TEXT_ENCODER -> original ? LdmMapping.clip(prefix) : Naming.DIFFUSERS;
      case TEXT_ENCODER_2 -> original ? OpenClipMapping.text(prefix) : Naming.DIFFUSERS;
    };
  }

  private static boolean anyStarts(Set<String> names, String start) {
    return names.stream().anyMatch(name -> name.startsWith(start));
  }
}
