package org.diffusionrpo.diffusion.lora;

import java.util.Map;

/** How the names in a LoRA file are spelled. */
public enum LoraFormat {
  /** {@code unet.M.lora_A.weight}: PEFT, and diffusers since it uses PEFT. */
  PEFT("lora_A.weight", "lora_B.weight"),
  /** {@code unet.M.lora.down.weight}: diffusers before that. */
  DIFFUSERS("lora.down.weight", "lora.up.weight"),
  /** {@code lora_unet_M.lora_down.weight} with {@code _} for each dot, and an alpha for each module: kohya's sd-scripts. */
  KOHYA("lora_down.weight", "lora_up.weight");

  /** kohya's prefix of each part; a model with two text encoders numbers them. */
  private static final Map<String, String> KOHYA_PREFIX = Map.of(LoraModules.UNET, "lora_unet_",
      LoraModules.TEXT_ENCODER, "lora_te_", LoraModules.TEXT_ENCODER_2, "lora_te2_");

  private final String down;
  private final String up;

  LoraFormat(String down, String up) {
    this.down = down;
    this.up = up;
  }

  /** Name of A, r x in. */
  String down(String stem, String component) {
    return stem + "." + inComponent(down, component);
  }

  /** Name of B, out x r. */
  String up(String stem, String component) {
    return stem + "." + inComponent(up, component);
  }

  /** The old diffusers form has another word in text encoders. */
  private String inComponent(String suffix, String component) {
    return this == DIFFUSERS && !component.equals(LoraModules.UNET) ? suffix.replace("lora.", "lora_linear_layer.")
        : suffix;
  }

  /** What every name that kohya gives to a part's modules begins with. */
  public static String kohyaPrefix(String component, boolean twoTextEncoders) {
    return twoTextEncoders && component.equals(LoraModules.TEXT_ENCODER) ? "lora_te1_" : KOHYA_PREFIX.get(component);
  }
}
