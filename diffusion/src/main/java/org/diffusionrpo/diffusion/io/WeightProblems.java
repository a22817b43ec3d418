package org.diffusionrpo.diffusion.io;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Where a file and a network differ: tensors of another shape, missing, and unknown to the network, the last with the
 * nearest name that is missing.
 */
record WeightProblems(List<String> shapes, List<String> missing, List<String> unknown) {
  /** So many of each kind are shown. */
  private static final int SHOWN = 4;

  /** Compares names and shapes; reads no weights. */
  static WeightProblems of(Parameters parameters, TensorSource source, Naming naming) {
    List<String> shapes = new ArrayList<>();
    Set<String> missing = new LinkedHashSet<>();
    Set<String> used = new HashSet<>();
    for (Parameter parameter : parameters.all()) {
      FileTensor place = naming.find(parameter, source);
      if (place == null) {
        missing.add(naming.expected(parameter).name());
      } else {
        used.add(place.name());
        if (!place.fits(parameter, source.info(place.name()))) {
          shapes.add(source.info(place.name()) + " instead of " + Arrays.toString(place.dims(parameter)));
        }
      }
    }
    List<String> unknown = new ArrayList<>();
    for (TensorInfo tensor : naming.tensors(source)) {
      if (!used.contains(tensor.name())) {
        String nearest = unknown.size() < SHOWN ? NearestName.of(tensor.name(), missing) : null;
        unknown.add(tensor.name() + (nearest == null ? "" : " (meant to be " + nearest + "?)"));
      }
    }
    return new WeightProblems(shapes, List.copyOf(missing), unknown);
  }

  boolean isEmpty() {
    return shapes.isEmpty() && missing.isEmpty() && unknown.isEmpty();
  }

  /** In one line, the first few of each kind. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    add(parts, "", shapes);
    add(parts, "missing ", missing);
    add(parts, "unknown ", unknown);
    return String.join("; ", parts);
  }

  private static void add(List<String> parts, String kind, List<String> names) {
    if (!names.isEmpty()) {
      parts.add(kind + shown(names));
    }
  }

  /** The first few names and how many more there are. */
  static String shown(List<String> names) {
    String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
    return names.size() > SHOWN ? shown + " and " + (names.size() - SHOWN) + " more" : shown;
  }
}
