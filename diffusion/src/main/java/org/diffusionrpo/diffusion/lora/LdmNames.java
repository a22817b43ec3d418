package org.diffusionrpo.diffusion.lora;

import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of the UNet's modules in the original code of latent diffusion, which kohya's files for SDXL use. Source:
 * CompVis/stable-diffusion, ldm/modules/diffusionmodules/openaimodel.py; diffusers, loaders/single_file_utils.py.
 */
final class LdmNames {
  private static final Map<String, String> OUTSIDE_OF_BLOCKS = Map.of("conv_in", "input_blocks.0.0",
      "time_embedding.linear_1", "time_embed.0", "time_embedding.linear_2", "time_embed.2",
      "add_embedding.linear_1", "label_emb.0.0", "add_embedding.linear_2", "label_emb.0.2", "conv_out", "out.2");
  private static final Map<String, String> IN_RESNET = Map.of("conv1", "in_layers.2", "time_emb_proj", "emb_layers.1",
      "conv2", "out_layers.3", "conv_shortcut", "skip_connection");
  private static final Pattern BLOCK =
      Pattern.compile("(down_blocks|up_blocks)\\.(\\d+)\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)\\.(.+)");
  private static final Pattern MIDDLE = Pattern.compile("mid_block\\.(resnets|attentions)\\.(\\d+)\\.(.+)");

  private LdmNames() {}

  /**
   * The LDM path of a module.
   *
   * @param layersPerBlock of the UNet's config
   * @param modules all modules of the UNet
   */
  static String of(String module, int layersPerBlock, Set<String> modules) {
    if (OUTSIDE_OF_BLOCKS.containsKey(module)) {
      return OUTSIDE_OF_BLOCKS.get(module);
    }
    Matcher middle = MIDDLE.matcher(module);
    if (middle.matches()) {
      boolean resnet = middle.group(1).equals("resnets");
      return "middle_block." + (resnet ? 2 * Integer.parseInt(middle.group(2)) : 1) + "."
          + inner(resnet, middle.group(3));
    }
    Matcher block = BLOCK.matcher(module);
    if (!block.matches()) {
      throw new IllegalArgumentException(module + " has no name in the original code of latent diffusion");
    }
    int perLevel = layersPerBlock + 1;
    int level = Integer.parseInt(block.group(2));
    int index = Integer.parseInt(block.group(4));
    String inner = block.group(5);
    boolean down = block.group(1).equals("down_blocks");
    int first = level * perLevel + (down ? 1 : 0);
    String side = down ? "input_blocks." : "output_blocks.";
    return switch (block.group(3)) {
      case "resnets" -> side + (first + index) + ".0." + inner(true, inner);
      case "attentions" -> side + (first + index) + ".1." + inner;
      case "downsamplers" -> side + (first + layersPerBlock) + ".0.op";
      default -> side + (first + layersPerBlock) + (hasAttention(level, modules) ? ".2." : ".1.") + inner;
    };
  }

  private static String inner(boolean resnet, String inner) {
    return resnet ? IN_RESNET.get(inner) : inner;
  }

  /** The upsampler comes after the level's last attention, if there is one. */
  private static boolean hasAttention(int level, Set<String> modules) {
    return modules.contains("up_blocks." + level + ".attentions.0.proj_in");
  }
}
