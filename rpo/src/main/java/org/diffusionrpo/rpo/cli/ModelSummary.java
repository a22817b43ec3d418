package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.diffusionrpo.diffusion.io.ComponentFolder;
import org.diffusionrpo.diffusion.io.ComponentSource;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.ModelFamily;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.ModelLocation;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;

/** What the headers of a model's files say; no weights are read. */
final class ModelSummary {
  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  /** A part with weights. */
  record Part(String name, String description, List<TensorInfo> tensors) {
    long parameters() {
      return tensors.stream().mapToLong(TensorInfo::elements).sum();
    }

    long bytes() {
      return tensors.stream().mapToLong(TensorInfo::bytes).sum();
    }

    String types() {
      Set<String> types = new TreeSet<>();
      tensors.forEach(tensor -> types.add(tensor.dtype().name()));
      return String.join("+", types);
    }
  }

  private ModelSummary() {}

  /** The parts of a model, of the folder of one network, or of a safetensors file. */
  static List<Part> parts(ModelLocation location) throws IOException {
    Path path = location.model();
    if (Files.isRegularFile(path)) {
      try (TensorSource file = TensorSource.open(path)) {
        if (!ModelFamily.isWhole(file)) {
          return List.of(new Part(path.getFileName().toString(), ModelFamily.network(file).orElse("safetensors"),
              tensors(file)));
        }
      }
    }
    Path config = path.resolve("config.json");
    if (Files.isRegularFile(config) && !Files.exists(path.resolve("model_index.json"))) {
      return List.of(single(path, config, location.variant()));
    }
    ModelSource source = location.open();
    List<Part> parts = new ArrayList<>();
    for (Map.Entry<String, ComponentSource> network : source.networks().entrySet()) {
      parts.add(part(network.getKey(), network.getValue()));
    }
    if (source.clip().isPresent()) {
      parts.add(part(ModelFolder.CLIP,
          ComponentFolder.transformers(source.clip().get(), "CLIPModel", location.variant())));
    }
    return parts;
  }

  private static Part single(Path path, Path config, String variant) throws IOException {
    ModelConfig settings = ModelConfig.read(config);
    String diffusers = settings.text("_class_name", null);
    String transformers = settings.json().path("architectures").path(0).asText("model");
    ComponentFolder folder = diffusers != null ? ComponentFolder.diffusers(path, diffusers, variant)
        : ComponentFolder.transformers(path, transformers, variant);
    return part(path.toAbsolutePath().normalize().getFileName().toString(), folder);
  }

  private static Part part(String name, ComponentSource source) throws IOException {
    source.config();
    return new Part(name, source.className(), source.tensors());
  }

  private static List<TensorInfo> tensors(TensorSource source) {
    return source.names().stream().map(source::info).toList();
  }

  /** For example {@code 859,520,964}. */
  static String count(long parameters) {
    return String.format(Locale.ROOT, "%,d", parameters);
  }

  /** For example {@code 3.2 GiB}. */
  static String size(long bytes) {
    double scaled = bytes;
    int unit = 0;
    while (scaled >= 1024 && unit < UNITS.size() - 1) {
      scaled /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, UNITS.get(unit));
  }
}
