package org.diffusionrpo.diffusion.lora;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.diffusionrpo.diffusion.io.NearestName;

/**
 * Which layers get adapters of which size.
 *
 * @param alpha the adapters' factor is alpha / rank
 * @param targets a target names a layer by its whole path or by the end of it, as PEFT's target_modules do; empty for all
 */
public record LoraConfig(int rank, double alpha, List<String> targets) {
  private static final List<String> ATTENTION = List.of("to_q", "to_k", "to_v", "to_out.0");
  private static final List<String> MLP = List.of("ff.net.0.proj", "ff.net.2");

  public LoraConfig {
    if (rank < 1 || !(alpha > 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException("LoRA of rank " + rank + " and alpha " + alpha + ": expected numbers above 0");
    }
    targets = List.copyOf(targets);
  }

  /** @param targets {@code attn} (the default of diffusers), {@code attn-mlp}, {@code all}, or names with commas */
  public static LoraConfig of(int rank, double alpha, String targets) {
    return new LoraConfig(rank, alpha, switch (targets) {
      case "attn" -> ATTENTION;
      case "attn-mlp" -> {
        List<String> both = new ArrayList<>(ATTENTION);
        both.addAll(MLP);
        yield both;
      }
      case "all" -> List.of();
      default -> List.of(targets.split("\\s*,\\s*"));
    });
  }

  /** The chosen of these paths, in their order; {@link IllegalArgumentException} for a target that chooses none. */
  Set<String> choose(Collection<String> paths) {
    if (targets.isEmpty()) {
      return new LinkedHashSet<>(paths);
    }
    for (String target : targets) {
      if (paths.stream().noneMatch(path -> isChosen(path, target))) {
        String nearest = NearestName.of(target, ends(paths));
        throw new IllegalArgumentException("no layer of the UNet is called '" + target + "'"
            + (nearest == null ? "; there are " + String.join(", ", ends(paths)) : "; did you mean '" + nearest + "'?"));
      }
    }
    Set<String> chosen = new LinkedHashSet<>(paths);
    chosen.removeIf(path -> targets.stream().noneMatch(target -> isChosen(path, target)));
    return chosen;
  }

  private static boolean isChosen(String path, String target) {
    return path.equals(target) || path.endsWith("." + target);
  }

  /** The last names of all paths, with a number's owner: {@code to_q}, {@code to_out.0}. */
  private static Set<String> ends(Collection<String> paths) {
    Set<String> ends = new TreeSet<>();
    for (String path : paths) {
      ends.add(path.replaceFirst(".*\\.(?=[^.0-9])", ""));
    }
    return ends;
  }
}
