package org.diffusionrpo.diffusion.io;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * From transformers' names of a CLIP text tower to those of OpenCLIP, which SDXL's single-file checkpoints have for the
 * second text encoder. Query, key and value are one tensor there, and the projection is transposed. OpenCLIP,
 * src/open_clip/transformer.py; the pairs: diffusers, loaders/single_file_utils.py.
 */
final class OpenClipMapping {
  private static final Pattern LAYER = Pattern.compile("text_model\\.encoder\\.layers\\.(\\d+)\\.(.+)");
  private static final Pattern INPUT = Pattern.compile("self_attn\\.([qkv])_proj\\.(weight|bias)");

  private OpenClipMapping() {}

  /** @param prefix e.g. {@code conditioner.embedders.1.model.} */
  static Naming text(String prefix) {
    return new Naming(prefix, name -> List.of(place(name)));
  }

  private static FileTensor place(String name) {
    Matcher layer = LAYER.matcher(name);
    if (layer.matches()) {
      return inLayer("transformer.resblocks." + layer.group(1) + ".", layer.group(2));
    }
    return switch (name) {
      case "text_model.embeddings.token_embedding.weight" -> FileTensor.whole("token_embedding.weight");
      case "text_model.embeddings.position_embedding.weight" -> FileTensor.whole("positional_embedding");
      case "text_projection.weight" -> new FileTensor("text_projection", 0, 1, true);
      default -> FileTensor.whole(name.replace("text_model.final_layer_norm.", "ln_final."));
    };
  }

  private static FileTensor inLayer(String block, String name) {
    Matcher input = INPUT.matcher(name);
    if (input.matches()) {
      return new FileTensor(block + "attn.in_proj_" + input.group(2), "qkv".indexOf(input.group(1)), 3, false);
    }
    return FileTensor.whole(block + name.replace("layer_norm1.", "ln_1.").replace("layer_norm2.", "ln_2.")
        .replace("mlp.fc1.", "mlp.c_fc.").replace("mlp.fc2.", "mlp.c_proj.").replace("self_attn.", "attn."));
  }
}
