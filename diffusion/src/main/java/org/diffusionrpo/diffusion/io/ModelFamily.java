package org.diffusionrpo.diffusion.io;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.diffusionrpo.tensor.io.TensorSource;

/** Guesses from the names in a file what model it is of, for the message that refuses it. */
public final class ModelFamily {
  /** Files of other kinds; the first pattern found in any name decides. */
  private static final List<Sign> FOREIGN = List.of(
      sign("lora_(up|down|mid|[AB]|unet|te|linear_layer)|\\.lora\\.|_lora\\.|hada_w|lokr_|dora_scale|lora_magnitude",
          "a LoRA, which changes a model and is none by itself"),
      sign("^(emb_params|clip_l|clip_g|string_to_param.*)$", "a textual inversion, which adds words to a model"),
      sign("^control_model\\.|input_hint_block|controlnet_(cond|down|mid)", "a ControlNet"),
      sign("^(ip_adapter|image_proj)\\.", "an IP-Adapter"),
      sign("motion_modules\\.", "a motion module"),
      sign("double_blocks\\.\\d+\\.img_attn|single_transformer_blocks\\.", "a Flux model"),
      sign("joint_blocks\\.\\d+\\.|transformer_blocks\\.\\d+\\.attn\\.add_q_proj", "Stable Diffusion 3"),
      sign("^cond_stage_model\\.model\\.", "Stable Diffusion 2"),
      sign("^conditioner\\.embedders\\.0\\.model\\.", "the refiner of SDXL"),
      sign("^conditioner\\.embedders\\.0\\.open_clip\\.", "Stable Video Diffusion"),
      sign("\\.SelfAttention\\.", "a T5 text encoder"));

  /** Channels of the first convolution's input, for models that see more than the noisy latents. */
  private static final int INPAINTING = 9;
  private static final int EDITING = 8;

  private ModelFamily() {}

  private record Sign(Pattern name, String family) {}

  private static Sign sign(String pattern, String family) {
    return new Sign(Pattern.compile(pattern), family);
  }

  /** Another family than Stable Diffusion 1 and SDXL, if a name or a shape shows one. */
  static Optional<String> foreign(TensorSource file) {
    for (Sign sign : FOREIGN) {
      if (file.names().stream().anyMatch(name -> sign.name.matcher(name).find())) {
        return Optional.of(sign.family);
      }
    }
    String first = ComponentKind.UNET.prefix(file.names()) + "input_blocks.0.0.weight";
    if (file.names().contains(first) && file.info(first).shape().size() == 4) {
      long channels = file.info(first).shape().get(1);
      return Optional.ofNullable(channels == INPAINTING ? "an inpainting model"
          : channels == EDITING ? "a model that edits pictures by instructions" : null);
    }
    return Optional.empty();
  }

  /** True for a Stable Diffusion 1.x or SDXL; its VAE may be missing. */
  public static boolean isWhole(TensorSource file) {
    return foreign(file).isEmpty() && !ComponentKind.UNET.prefix(file.names()).isEmpty()
        && !ComponentKind.TEXT_ENCODER.prefix(file.names()).isEmpty();
  }

  /** Tells the two families of whole models apart. */
  static boolean isXl(Set<String> names) {
    return !ComponentKind.TEXT_ENCODER_2.prefix(names).isEmpty()
        || names.contains(ComponentKind.UNET.prefix(names) + "label_emb.0.0.weight");
  }

  /** The class name of the one network that the file holds, in any naming. */
  public static Optional<String> network(TensorSource file) {
    List<ComponentKind> alone = kinds(file.names(), true);
    return foreign(file).isPresent() || alone.isEmpty() ? Optional.empty() : Optional.of(alone.get(0).className());
  }

  /** What the file seems to be, in a few words. */
  public static String describe(TensorSource file) {
    Set<String> names = file.names();
    List<ComponentKind> whole = kinds(names, false);
    List<ComponentKind> alone = kinds(names, true);
    return foreign(file).orElseGet(() -> {
      if (isWhole(file)) {
        return (isXl(names) ? "SDXL" : "Stable Diffusion 1")
            + (whole.contains(ComponentKind.VAE) ? "" : " without a VAE, which --vae gives");
      }
      if (!whole.isEmpty()) {
        return "a checkpoint with nothing but " + String.join(", ", whole.stream().map(ComponentKind::folder).toList());
      }
      if (alone.contains(ComponentKind.UNET)) {
        return "a UNet alone, which --unet takes";
      }
      if (alone.contains(ComponentKind.VAE)) {
        return "a VAE alone, which --vae takes";
      }
      if (alone.contains(ComponentKind.TEXT_ENCODER)) {
        return "a CLIP text encoder or a whole CLIP";
      }
      return names.isEmpty() ? "empty" : "something else, with tensors such as " + names.iterator().next();
    });
  }

  /** The networks that the names tell of. */
  private static List<ComponentKind> kinds(Set<String> names, boolean alone) {
    List<ComponentKind> kinds = new ArrayList<>();
    for (ComponentKind kind : ComponentKind.values()) {
      if (alone ? kind.isAloneIn(names) : !kind.prefix(names).isEmpty()) {
        kinds.add(kind);
      }
    }
    return kinds;
  }
}
