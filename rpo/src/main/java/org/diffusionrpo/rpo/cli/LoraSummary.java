package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.diffusionrpo.diffusion.lora.LoraFile;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraModules;

/** What a LoRA file holds, by part of the model, told from its names alone. */
record LoraSummary(int modules, long parameters, Set<Integer> ranks, Set<Double> alphas, Set<String> targets) {
  /** The part by what its names begin with. */
  private static final Map<String, String> PREFIXES = new HashMap<>();

  static {
    for (String part : List.of(LoraModules.UNET, LoraModules.TEXT_ENCODER, LoraModules.TEXT_ENCODER_2)) {
      PREFIXES.put(part + ".", part);
      PREFIXES.put(LoraFormat.kohyaPrefix(part, false), part);
      PREFIXES.put(LoraFormat.kohyaPrefix(part, true), part);
    }
  }

  /** A summary of each part of the model that the file changes. */
  static Map<String, LoraSummary> of(LoraFile file) throws IOException {
    Map<String, LoraSummary> all = new TreeMap<>();
    for (LoraFile.Entry entry : file.entries()) {
      String prefix = PREFIXES.keySet().stream().filter(entry.name()::startsWith).findAny().orElse("");
      String component = PREFIXES.getOrDefault(prefix, LoraModules.UNET);
      String module = entry.name().substring(prefix.length());
      LoraSummary before = all.getOrDefault(component,
          new LoraSummary(0, 0, new TreeSet<>(), new TreeSet<>(), new TreeSet<>()));
      before.ranks.add(entry.rank());
      before.alphas.add(file.alpha(entry, component, module));
      before.targets.add(target(module));
      all.put(component, new LoraSummary(before.modules + 1,
          before.parameters + entry.down().elements() + entry.up().elements(), before.ranks, before.alphas,
          before.targets));
    }
    return all;
  }

  /** What kind of layer a path ends with, whether its parts are joined by dots or by underscores. */
  private static String target(String module) {
    return module.replace('_', '.').replaceFirst(".*(?:blocks|layers|resnets|attentions|samplers)\\.\\d+\\.", "")
        .replaceFirst("^\\d+\\.\\d+\\.", "").replaceFirst("to\\.([qkv]|out)", "to_$1")
        .replaceFirst("proj\\.(in|out)", "proj_$1")
        .replaceFirst("self\\.attn\\.([qkv]|out)\\.proj", "self_attn.$1_proj");
  }
}
