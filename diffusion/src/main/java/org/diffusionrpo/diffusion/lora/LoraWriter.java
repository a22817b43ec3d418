package org.diffusionrpo.diffusion.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;

/** Writes a LoRA file; types and shapes of the layers are kept. The file appears complete or not at all. */
public final class LoraWriter {
  private LoraWriter() {}

  /** @param modules of the model that the layers belong to: kohya's names depend on its kind */
  public static void write(Path file, List<LoraLayer> layers, LoraFormat format, LoraModules modules)
      throws IOException {
    List<TensorInfo> infos = new ArrayList<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    for (LoraLayer layer : layers) {
      String stem = format == LoraFormat.KOHYA ? modules.kohyaName(layer) : layer.component() + "." + layer.module();
      add(infos, values, format.down(stem, layer.component()), layer.down());
      add(infos, values, format.up(stem, layer.component()), layer.up());
      if (format == LoraFormat.KOHYA) {
        add(infos, values, stem + ".alpha",
            new LoraLayer.Matrix(DType.F32, new int[0], new float[] {(float) layer.alpha()}));
      }
    }
    Map<String, String> metadata = format == LoraFormat.KOHYA ? kohya(layers) : LoraMetadata.of(layers);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, infos, metadata)) {
      for (Map.Entry<String, float[]> tensor : values.entrySet()) {
        writer.writeFloats(tensor.getKey(), tensor.getValue());
      }
      writer.commit();
    }
  }

  private static void add(List<TensorInfo> infos, Map<String, float[]> values, String name, LoraLayer.Matrix matrix) {
    infos.add(TensorInfo.of(name, matrix.dtype(), matrix.dims()));
    values.put(name, matrix.values());
  }

  /** What kohya's scripts and the web interfaces show of a file. */
  private static Map<String, String> kohya(List<LoraLayer> layers) {
    Map<String, String> metadata = new TreeMap<>();
    metadata.put("ss_network_module", "networks.lora");
    metadata.put("ss_network_dim", Integer.toString(layers.get(0).rank()));
    metadata.put("ss_network_alpha", Double.toString(layers.get(0).alpha()));
    return metadata;
  }
}
