package org.diffusionrpo.diffusion.io;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * How a file names the tensors of one network.
 *
 * @param prefix what all names of the network begin with in this file; other names belong to other networks
 * @param places for one of our names where its values may stand, most likely first, without the prefix
 */
public record Naming(String prefix, Function<String, List<FileTensor>> places) {
  /** Today's names of diffusers and transformers, which are ours, and those of older versions. */
  public static final Naming DIFFUSERS = new Naming("", CheckpointMapping::diffusers);

  /** Beside the parameters real files hold what no model needs. */
  private static final Set<String> IGNORED = Set.of("logit_scale");

  /** True for a name of this network's parameters. */
  boolean owns(String name) {
    if (!name.startsWith(prefix)) {
      return false;
    }
    String inner = name.substring(prefix.length());
    return !inner.endsWith("position_ids") && !inner.startsWith("model_ema") && !IGNORED.contains(inner);
  }

  /** Where the parameter stands in this file, or null. */
  FileTensor find(Parameter parameter, TensorSource source) {
    for (FileTensor place : places.apply(parameter.name())) {
      FileTensor full = under(place);
      if (source.names().contains(full.name())) {
        return full;
      }
    }
    return null;
  }

  /** Where the parameter should stand. */
  FileTensor expected(Parameter parameter) {
    return under(places.apply(parameter.name()).get(0));
  }

  /** The network's own tensors in a file. */
  List<TensorInfo> tensors(TensorSource source) {
    return source.names().stream().filter(this::owns).map(source::info).toList();
  }

  private FileTensor under(FileTensor place) {
    return new FileTensor(prefix + place.name(), place.part(), place.parts(), place.transposed());
  }
}
