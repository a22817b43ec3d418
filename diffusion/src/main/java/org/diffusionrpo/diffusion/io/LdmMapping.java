package org.diffusionrpo.diffusion.io;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffusionrpo.diffusion.unet.UNetConfig;

/**
 * From diffusers' names to those of the original code, which single-file checkpoints have. Names: CompVis
 * latent-diffusion, ldm/modules/diffusionmodules/openaimodel.py and model.py; the pairs: diffusers,
 * loaders/single_file_utils.py.
 */
public final class LdmMapping {
  private static final Pattern LEVEL = Pattern.compile("(?:(encoder|decoder)\\.)?(down|up)_blocks\\.(\\d+)\\."
      + "(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)\\.(.+)");
  private static final Map<String, String> UNET_TOP = Map.of(
      "time_embedding.linear_1.", "time_embed.0.", "time_embedding.linear_2.", "time_embed.2.",
      "add_embedding.linear_1.", "label_emb.0.0.", "add_embedding.linear_2.", "label_emb.0.2.",
      "conv_in.", "input_blocks.0.0.", "conv_norm_out.", "out.0.", "conv_out.", "out.2.",
      "mid_block.resnets.0.", "middle_block.0.", "mid_block.attentions.0.", "middle_block.1.",
      "mid_block.resnets.1.", "middle_block.2.");
  private static final Map<String, String> UNET_RESNET = Map.of(
      "norm1.", "in_layers.0.", "conv1.", "in_layers.2.", "time_emb_proj.", "emb_layers.1.",
      "norm2.", "out_layers.0.", "conv2.", "out_layers.3.", "conv_shortcut.", "skip_connection.");
  private static final Map<String, String> VAE_INNER = Map.of(
      "mid_block.resnets.0.", "mid.block_1.", "mid_block.resnets.1.", "mid.block_2.",
      "mid_block.attentions.0.group_norm.", "mid.attn_1.norm.", "mid_block.attentions.0.to_q.", "mid.attn_1.q.",
      "mid_block.attentions.0.to_k.", "mid.attn_1.k.", "mid_block.attentions.0.to_v.", "mid.attn_1.v.",
      "mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out.", "conv_norm_out.", "norm_out.");

  private LdmMapping() {}

  /** The UNet of SD 1.x and SDXL under a prefix such as {@code model.diffusion_model.}. */
  static Naming unet(String prefix, UNetConfig config) {
    return new Naming(prefix, name -> List.of(FileTensor.whole(unetName(name, config))));
  }

  /** The autoencoder of so many levels under a prefix such as {@code first_stage_model.}. */
  static Naming vae(String prefix, int levels) {
    return new Naming(prefix, name -> List.of(FileTensor.whole(vaeName(name, levels))));
  }

  /** CLIP-L: transformers' names, in some files without the first part of the path. */
  static Naming clip(String prefix) {
    return new Naming(prefix, name -> List.of(
        FileTensor.whole(name), FileTensor.whole(name.replaceFirst("^text_model\\.", ""))));
  }

  /** A name of the UNet; also of a module, with a dot at its end. */
  public static String unetName(String name, UNetConfig config) {
    Matcher level = LEVEL.matcher(name);
    if (!level.matches()) {
      String renamed = replaceStart(name, UNET_TOP);
      return renamed.startsWith("middle_block.1.") ? renamed : renameResnet(renamed);
    }
    boolean down = level.group(2).equals("down");
    int block = Integer.parseInt(level.group(3));
    int perLevel = config.layersPerBlock() + 1; // down: resnets and the downsampler; up: one resnet more
    int at = block * perLevel + Integer.parseInt(level.group(5));
    String rest = level.group(6);
    return switch (level.group(4)) {
      case "resnets" -> (down ? "input_blocks." + (at + 1) : "output_blocks." + at) + ".0."
          + replaceStart(rest, UNET_RESNET);
      case "attentions" -> (down ? "input_blocks." + (at + 1) : "output_blocks." + at) + ".1." + rest;
      case "downsamplers" -> "input_blocks." + (block + 1) * perLevel + ".0." + rest.replaceFirst("^conv\\.", "op.");
      default -> "output_blocks." + (at + perLevel - 1) + (config.upAttention().get(block) ? ".2." : ".1.") + rest;
    };
  }

  private static String renameResnet(String name) {
    for (String block : List.of("middle_block.0.", "middle_block.2.")) {
      if (name.startsWith(block)) {
        return block + replaceStart(name.substring(block.length()), UNET_RESNET);
      }
    }
    return name;
  }

  private static String vaeName(String name, int levels) {
    Matcher level = LEVEL.matcher(name);
    if (!level.matches()) {
      int dot = name.indexOf('.') + 1;
      return name.substring(0, dot) + replaceStart(name.substring(dot), VAE_INNER);
    }
    boolean down = level.group(2).equals("down");
    int block = Integer.parseInt(level.group(3));
    String path = level.group(1) + (down ? ".down." + block : ".up." + (levels - 1 - block));
    String rest = level.group(6);
    return switch (level.group(4)) {
      case "resnets" -> path + ".block." + level.group(5) + "."
          + rest.replaceFirst("^conv_shortcut\\.", "nin_shortcut.");
      case "downsamplers" -> path + ".downsample." + rest;
      default -> path + ".upsample." + rest;
    };
  }

  private static String replaceStart(String name, Map<String, String> pairs) {
    for (Map.Entry<String, String> pair : pairs.entrySet()) {
      if (name.startsWith(pair.getKey())) {
        return pair.getValue() + name.substring(pair.getKey().length());
      }
    }
    return name;
  }
}
