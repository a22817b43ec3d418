package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSink;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** Writes models into files of the original layout; a test adds, renames and drops tensors before. */
public final class OriginalFile {
  private static final String UNET = "model.diffusion_model.";
  private static final String VAE = "first_stage_model.";
  private static final String TEXT = "cond_stage_model.transformer.";

  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(int[] dims, float[] values) {}

  /** A whole model as the original programs write it, with the left-overs of training that such files have. */
  public static OriginalFile of(StableDiffusion model) {
    OriginalFile file = new OriginalFile().add("alphas_cumprod", 1).add("model_ema.decay")
        .add(TEXT + "text_model.embeddings.position_ids", 1, 9);
    file.addUnet(UNET, model);
    file.addVae(VAE, model);
    return file.addAll(LdmMapping.clip(TEXT), model.textEncoder().value().parameters());
  }

  OriginalFile addUnet(String prefix, StableDiffusion model) {
    return addAll(LdmMapping.unet(prefix, model.unet().value().config()), model.unet().value().parameters());
  }

  OriginalFile addVae(String prefix, StableDiffusion model) {
    int levels = model.vae().value().config().blockOutChannels().size();
    return addAll(LdmMapping.vae(prefix, levels), model.vae().value().parameters());
  }

  OriginalFile addAll(Naming naming, Parameters parameters) {
    for (Parameter parameter : parameters.all()) {
      FileTensor place = naming.expected(parameter);
      int[] dims = place.dims(parameter);
      boolean attention = place.name().contains("mid.attn_1.") && dims.length == 2;
      entries.put(place.name(), new Entry(attention ? new int[] {dims[0], dims[1], 1, 1} : dims,
          CheckpointMapping.toFile(parameter.shape(), parameter.value().toArray())));
    }
    return this;
  }

  /** A tensor of zeros. */
  OriginalFile add(String name, int... dims) {
    return add(name, new float[Arrays.stream(dims).reduce(1, (a, b) -> a * b)], dims);
  }

  OriginalFile add(String name, float[] values, int... dims) {
    entries.put(name, new Entry(dims, values));
    return this;
  }

  OriginalFile rename(String from, String to) {
    Entry entry = entries.remove(from);
    if (entry == null) {
      throw new IllegalArgumentException("there is no " + from + " among " + entries.keySet());
    }
    entries.put(to, entry);
    return this;
  }

  /** Renames every tensor. */
  OriginalFile replaceAll(String regex, String replacement) {
    Map<String, Entry> old = new LinkedHashMap<>(entries);
    entries.clear();
    old.forEach((name, entry) -> entries.put(name.replaceAll(regex, replacement), entry));
    return this;
  }

  OriginalFile dropAll(String start) {
    entries.keySet().removeIf(name -> name.startsWith(start));
    return this;
  }

  public Path write(Path path, DType dtype) throws IOException {
    try (TensorSink sink = SafetensorsWriter.create(path,
        entries.entrySet().stream().map(e -> TensorInfo.of(e.getKey(), dtype, e.getValue().dims)).toList())) {
      for (Map.Entry<String, Entry> entry : entries.entrySet()) {
        sink.writeFloats(entry.getKey(), entry.getValue().values);
      }
      sink.commit();
    }
    return path;
  }
}
