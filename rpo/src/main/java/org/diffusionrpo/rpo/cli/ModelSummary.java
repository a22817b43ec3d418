package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.diffusionrpo.diffusion.io.ComponentFolder;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;

/** What the headers of a model's files say; no weights are read. */
final class ModelSummary {
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

  /** The parts of a model folder, a CLIP folder or a single safetensors file. */
  static List<Part> parts(Path path, String variant) throws IOException {
    if (Files.isRegularFile(path)) {
      try (TensorSource file = TensorSource.open(path)) {
        return List.of(new Part(path.getFileName().toString(), "safetensors", tensors(file)));
      }
    }
    Path config = path.resolve("config.json");
    if (Files.isRegularFile(config) && !Files.exists(path.resolve("model_index.json"))) {
      return List.of(single(path, config, variant));
    }
    ModelFolder folder = ModelFolder.open(path).withVariant(variant);
    List<Part> parts = new ArrayList<>();
    parts.add(part(ModelFolder.UNET, folder.unet()));
    parts.add(part(ModelFolder.VAE, folder.vae()));
    parts.add(part(ModelFolder.TEXT_ENCODER, folder.textEncoder()));
    if (folder.isXl()) {
      parts.add(part(ModelFolder.TEXT_ENCODER_2, folder.textEncoder2()));
    }
    if (folder.clip().isPresent()) {
      parts.add(part(ModelFolder.CLIP, ComponentFolder.transformers(folder.clip().get(), "CLIPModel", variant)));
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

  private static Part part(String name, ComponentFolder folder) throws IOException {
    folder.config();
    try (TensorSource weights = folder.openWeights()) {
      return new Part(name, folder.className(), tensors(weights));
    }
  }

  private static List<TensorInfo> tensors(TensorSource source) {
    return source.names().stream().map(source::info).toList();
  }

  /** For example {@code 859.5 M}. */
  static String count(long parameters) {
    return scaled(parameters, 1000, "", " k", " M", " G");
  }

  /** For example {@code 3.2 GiB}. */
  static String size(long bytes) {
    return scaled(bytes, 1024, " B", " KiB", " MiB", " GiB", " TiB");
  }

  private static String scaled(long value, int step, String... units) {
    double scaled = value;
    int unit = 0;
    while (scaled >= step && unit < units.length - 1) {
      scaled /= step;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f%s" : "%.1f%s", scaled, units[unit]);
  }
}
