package org.diffusionrpo.diffusion.lora;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a tensor in a LoRA file says, in any of the spellings.
 *
 * @param module as the file calls it, the name of its attention processor turned into that of the layer
 */
record LoraKey(String module, Part part) {
  /** A, B and alpha of a module. */
  enum Part { DOWN, UP, ALPHA }

  /** Parts of names of relatives that are not {@code up x down}, and what they are. */
  private static final Map<String, String> RELATIVES = Map.of("dora_scale", "DoRA", "lora_magnitude_vector", "DoRA",
      "hada_w", "LoHa", "lokr_", "LoKr", "oft_", "OFT", "lora_mid", "a CP decomposition of LoCon");

  private static final String PEFT_PREFIX = "base_model.model.";
  private static final Pattern PROCESSOR =
      Pattern.compile("(.+)\\.processor\\.to_(q|k|v|out)_lora\\.(down\\.weight|up\\.weight|alpha)");
  private static final Pattern TEXT_PROCESSOR =
      Pattern.compile("(.+\\.self_attn)\\.to_(q|k|v|out)_lora\\.(down\\.weight|up\\.weight|alpha)");
  private static final List<Map.Entry<Part, Pattern>> PLAIN = List.of(
      Map.entry(Part.DOWN, Pattern.compile(
          "(.+)\\.(?:lora_A|lora_A\\.default|lora\\.down|lora_linear_layer\\.down|lora_down)\\.weight")),
      Map.entry(Part.UP, Pattern.compile(
          "(.+)\\.(?:lora_B|lora_B\\.default|lora\\.up|lora_linear_layer\\.up|lora_up)\\.weight")),
      Map.entry(Part.ALPHA, Pattern.compile("(.+?)(?:\\.lora|\\.lora_linear_layer)?\\.alpha")));

  /** Reads a name; null if it is none of a LoRA's. */
  static LoraKey parse(String tensor) {
    String name = tensor.startsWith(PEFT_PREFIX) ? tensor.substring(PEFT_PREFIX.length()) : tensor;
    Matcher matcher = PROCESSOR.matcher(name);
    if (matcher.matches()) {
      String layer = matcher.group(2).equals("out") ? ".to_out.0" : ".to_" + matcher.group(2);
      return new LoraKey(matcher.group(1) + layer, part(matcher.group(3)));
    }
    matcher = TEXT_PROCESSOR.matcher(name);
    if (matcher.matches()) {
      return new LoraKey(matcher.group(1) + "." + matcher.group(2) + "_proj", part(matcher.group(3)));
    }
    for (Map.Entry<Part, Pattern> plain : PLAIN) {
      matcher = plain.getValue().matcher(name);
      if (matcher.matches()) {
        return new LoraKey(matcher.group(1), plain.getKey());
      }
    }
    return null;
  }

  /** The method that a tensor belongs to if it is a relative of LoRA, such as DoRA; else null. */
  static String relative(String tensor) {
    return RELATIVES.entrySet().stream().filter(entry -> tensor.contains(entry.getKey())).map(Map.Entry::getValue)
        .findAny().orElse(null);
  }

  private static Part part(String suffix) {
    return switch (suffix) {
      case "down.weight" -> Part.DOWN;
      case "up.weight" -> Part.UP;
      default -> Part.ALPHA;
    };
  }
}
