package org.diffusionrpo.diffusion.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.diffusionrpo.diffusion.io.LdmMapping;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of UNets with the blocks of SD 1.5 and SDXL, narrow so that they are quick to declare. */
class LdmNamesTest {
  private static final String SD15 = """
      {"block_out_channels": [4, 4, 4, 4], "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
       "CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D",
       "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 2, "cross_attention_dim": 4,
       "attention_head_dim": 2, "norm_num_groups": 2}""";
  private static final String SDXL = """
      {"block_out_channels": [4, 4, 4], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D",
       "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
       "layers_per_block": 2, "cross_attention_dim": 4, "attention_head_dim": [1, 2, 2],
       "transformer_layers_per_block": [1, 2, 10], "use_linear_projection": true, "norm_num_groups": 2,
       "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
       "projection_class_embeddings_input_dim": 31}""";

  /** Names as they stand in published files, with the module that each is. */
  @ParameterizedTest
  @CsvSource({
      "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_k, "
          + "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k",
      "lora_unet_input_blocks_8_1_proj_in, down_blocks.2.attentions.1.proj_in",
      "lora_unet_middle_block_1_transformer_blocks_9_ff_net_2, mid_block.attentions.0.transformer_blocks.9.ff.net.2",
      "lora_unet_output_blocks_0_1_transformer_blocks_1_attn2_to_out_0, "
          + "up_blocks.0.attentions.0.transformer_blocks.1.attn2.to_out.0",
      "lora_unet_output_blocks_2_2_conv, up_blocks.0.upsamplers.0.conv",
      "lora_unet_input_blocks_3_0_op, down_blocks.0.downsamplers.0.conv",
      "lora_unet_input_blocks_1_0_in_layers_2, down_blocks.0.resnets.0.conv1",
      "lora_unet_output_blocks_8_0_skip_connection, up_blocks.2.resnets.2.conv_shortcut",
      "lora_unet_down_blocks_1_attentions_0_proj_in, down_blocks.1.attentions.0.proj_in",
      "lora_unet_label_emb_0_2, add_embedding.linear_2"})
  void sdxlNamesOfKohya(String name, String module) throws IOException {
    LoraModules.Module found = modules(SDXL).find(name);
    assertNotNull(found, name);
    assertEquals(module, found.path());
  }

  /** The published rules go from LDM to diffusers; ours go back. */
  @Test
  void everyModuleComesBackByThePublishedRules() throws IOException {
    for (String config : new String[] {SD15, SDXL}) {
      UNet2DConditionModel unet = unet(config);
      Set<String> paths = unet.parameters().slots().keySet();
      assertTrue(paths.size() > 100, paths.size() + " modules");
      Set<String> seen = new HashSet<>();
      for (String path : paths) {
        String ldm = LdmMapping.unetName(path + ".", unet.config()).replaceFirst("\\.$", "");
        assertTrue(seen.add(ldm), ldm + " twice");
        assertEquals(path, toDiffusers(ldm), ldm);
      }
    }
  }

  @Test
  void noTwoModulesShareAName() throws IOException {
    for (String config : new String[] {SD15, SDXL}) {
      Set<String> names = new HashSet<>();
      for (String path : unet(config).parameters().slots().keySet()) {
        assertTrue(names.add(path.replace('.', '_')), path);
      }
    }
  }

  private static String toDiffusers(String ldm) {
    String[] p = ldm.split("\\.", 4);
    String rest = p.length > 3 ? p[3] : "";
    switch (p[0]) {
      case "time_embed":
        return "time_embedding.linear_" + (p[1].equals("0") ? 1 : 2);
      case "label_emb":
        return "add_embedding.linear_" + (p[2].equals("0") ? 1 : 2);
      case "out":
        return "conv_out";
      case "middle_block":
        return p[1].equals("1") ? "mid_block.attentions.0." + ldm.substring("middle_block.1.".length())
            : "mid_block.resnets." + Integer.parseInt(p[1]) / 2 + "."
                + resnet(ldm.substring("middle_block.0.".length()));
      default:
    }
    int i = Integer.parseInt(p[1]);
    if (ldm.equals("input_blocks.0.0")) {
      return "conv_in";
    }
    boolean down = p[0].equals("input_blocks");
    int position = down ? i - 1 : i;
    String block = (down ? "down_blocks." : "up_blocks.") + position / 3;
    if (rest.equals("op")) {
      return block + ".downsamplers.0.conv";
    }
    if (rest.equals("conv")) {
      return block + ".upsamplers.0.conv";
    }
    return p[2].equals("0") ? block + ".resnets." + position % 3 + "." + resnet(rest)
        : block + ".attentions." + position % 3 + "." + rest;
  }

  private static String resnet(String inner) {
    return Map.of("in_layers.2", "conv1", "emb_layers.1", "time_emb_proj", "out_layers.3", "conv2", "skip_connection",
        "conv_shortcut").get(inner);
  }

  private static LoraModules modules(String config) throws IOException {
    UNet2DConditionModel unet = unet(config);
    return new LoraModules(Map.of(LoraModules.UNET, unet.parameters()), unet.config());
  }

  private static UNet2DConditionModel unet(String config) throws IOException {
    return new UNet2DConditionModel(UNetConfig.from(ModelConfig.parse("narrow UNet", config)));
  }
}
