package org.diffusionrpo.diffusion.io;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Names and shapes of the original single-file checkpoints, made by the loops of the original constructors and not from
 * diffusers' names: CompVis latent-diffusion, openaimodel.py and model.py; OpenCLIP, transformer.py. The oracle of the
 * mappings.
 */
final class OriginalLayout {
  private final Map<String, String> tensors = new TreeMap<>();
  private int embedding;
  private int context;
  private boolean linear;

  private OriginalLayout() {}

  /**
   * @param depths transformer blocks of each level, 0 for none
   * @param added width of the vector of added conditions; 0 for none
   */
  static Map<String, String> unet(int channels, int[] multipliers, int[] depths, int middleDepth, int context,
      boolean linear, int added) {
    OriginalLayout layout = new OriginalLayout();
    layout.embedding = 4 * channels;
    layout.context = context;
    layout.linear = linear;
    layout.unet(channels, multipliers, depths, middleDepth, added);
    return layout.tensors;
  }

  private void unet(int channels, int[] multipliers, int[] depths, int middleDepth, int added) {
    linear("time_embed.0", channels, embedding);
    linear("time_embed.2", embedding, embedding);
    if (added > 0) {
      linear("label_emb.0.0", added, embedding);
      linear("label_emb.0.2", embedding, embedding);
    }
    conv("input_blocks.0.0", 4, channels, 3);
    Deque<Integer> skips = new ArrayDeque<>();
    skips.push(channels);
    int ch = channels;
    int block = 1;
    for (int level = 0; level < multipliers.length; level++) {
      for (int i = 0; i < 2; i++) {
        ch = resnet("input_blocks." + block + ".0", ch, multipliers[level] * channels);
        transformer("input_blocks." + block + ".1", ch, depths[level]);
        skips.push(ch);
        block++;
      }
      if (level < multipliers.length - 1) {
        conv("input_blocks." + block++ + ".0.op", ch, ch, 3);
        skips.push(ch);
      }
    }
    resnet("middle_block.0", ch, ch);
    transformer("middle_block.1", ch, middleDepth);
    resnet("middle_block.2", ch, ch);
    block = 0;
    for (int level = multipliers.length - 1; level >= 0; level--) {
      for (int i = 0; i < 3; i++) {
        ch = resnet("output_blocks." + block + ".0", ch + skips.pop(), multipliers[level] * channels);
        transformer("output_blocks." + block + ".1", ch, depths[level]);
        if (level > 0 && i == 2) {
          conv("output_blocks." + block + (depths[level] > 0 ? ".2" : ".1") + ".conv", ch, ch, 3);
        }
        block++;
      }
    }
    norm("out.0", ch);
    conv("out.2", channels, 4, 3);
  }

  private int resnet(String name, int in, int out) {
    norm(name + ".in_layers.0", in);
    conv(name + ".in_layers.2", in, out, 3);
    linear(name + ".emb_layers.1", embedding, out);
    norm(name + ".out_layers.0", out);
    conv(name + ".out_layers.3", out, out, 3);
    if (in != out) {
      conv(name + ".skip_connection", in, out, 1);
    }
    return out;
  }

  private void transformer(String name, int ch, int depth) {
    if (depth == 0) {
      return;
    }
    norm(name + ".norm", ch);
    for (String projection : new String[] {".proj_in", ".proj_out"}) {
      put(name + projection + ".weight", linear ? new int[] {ch, ch} : new int[] {ch, ch, 1, 1});
      put(name + projection + ".bias", ch);
    }
    for (int i = 0; i < depth; i++) {
      String block = name + ".transformer_blocks." + i;
      for (int attention = 1; attention <= 2; attention++) {
        int from = attention == 1 ? ch : context;
        put(block + ".attn" + attention + ".to_q.weight", ch, ch);
        put(block + ".attn" + attention + ".to_k.weight", ch, from);
        put(block + ".attn" + attention + ".to_v.weight", ch, from);
        linear(block + ".attn" + attention + ".to_out.0", ch, ch);
      }
      linear(block + ".ff.net.0.proj", ch, 8 * ch);
      linear(block + ".ff.net.2", 4 * ch, ch);
      for (int i3 = 1; i3 <= 3; i3++) {
        norm(block + ".norm" + i3, ch);
      }
    }
  }

  /** The autoencoder of SD 1.x and SDXL: 128 channels, multipliers 1, 2, 4, 4, two blocks a level, 4 latents. */
  static Map<String, String> vae() {
    OriginalLayout layout = new OriginalLayout();
    int[] channels = {128, 256, 512, 512};
    layout.conv("encoder.conv_in", 3, 128, 3);
    int ch = 128;
    for (int level = 0; level < 4; level++) {
      for (int i = 0; i < 2; i++) {
        ch = layout.vaeBlock("encoder.down." + level + ".block." + i, ch, channels[level]);
      }
      if (level < 3) {
        layout.conv("encoder.down." + level + ".downsample.conv", ch, ch, 3);
      }
    }
    layout.vaeEnds("encoder", ch, 512, 8);
    layout.conv("decoder.conv_in", 4, 512, 3);
    for (int level = 3; level >= 0; level--) {
      for (int i = 0; i < 3; i++) {
        ch = layout.vaeBlock("decoder.up." + level + ".block." + i, ch, channels[level]);
      }
      if (level > 0) {
        layout.conv("decoder.up." + level + ".upsample.conv", ch, ch, 3);
      }
    }
    layout.vaeEnds("decoder", 512, 128, 3);
    layout.conv("quant_conv", 8, 8, 1);
    layout.conv("post_quant_conv", 4, 4, 1);
    return layout.tensors;
  }

  private int vaeBlock(String name, int in, int out) {
    norm(name + ".norm1", in);
    conv(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    conv(name + ".conv2", out, out, 3);
    if (in != out) {
      conv(name + ".nin_shortcut", in, out, 1);
    }
    return out;
  }

  private void vaeEnds(String side, int middle, int last, int out) {
    vaeBlock(side + ".mid.block_1", middle, middle);
    norm(side + ".mid.attn_1.norm", middle);
    for (String projection : new String[] {"q", "k", "v", "proj_out"}) {
      conv(side + ".mid.attn_1." + projection, middle, middle, 1);
    }
    vaeBlock(side + ".mid.block_2", middle, middle);
    norm(side + ".norm_out", last);
    conv(side + ".conv_out", last, out, 3);
  }

  /** OpenCLIP's text tower ViT-bigG/14, with its temperature. */
  static Map<String, String> bigG() {
    OriginalLayout layout = new OriginalLayout();
    int ch = 1280;
    layout.put("positional_embedding", 77, ch);
    layout.put("token_embedding.weight", 49408, ch);
    layout.put("text_projection", ch, ch);
    layout.put("logit_scale");
    layout.norm("ln_final", ch);
    for (int i = 0; i < 32; i++) {
      String block = "transformer.resblocks." + i;
      layout.norm(block + ".ln_1", ch);
      layout.norm(block + ".ln_2", ch);
      layout.put(block + ".attn.in_proj_weight", 3 * ch, ch);
      layout.put(block + ".attn.in_proj_bias", 3 * ch);
      layout.linear(block + ".attn.out_proj", ch, ch);
      layout.linear(block + ".mlp.c_fc", ch, 4 * ch);
      layout.linear(block + ".mlp.c_proj", 4 * ch, ch);
    }
    return layout.tensors;
  }

  private void norm(String name, int channels) {
    put(name + ".weight", channels);
    put(name + ".bias", channels);
  }

  private void linear(String name, int in, int out) {
    put(name + ".weight", out, in);
    put(name + ".bias", out);
  }

  private void conv(String name, int in, int out, int kernel) {
    put(name + ".weight", out, in, kernel, kernel);
    put(name + ".bias", out);
  }

  private void put(String name, int... dims) {
    tensors.put(name, Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining("x")));
  }
}
