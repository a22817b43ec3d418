package org.diffusionrpo.bench.oracle;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.tensor.io.AtomicFiles;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSink;

/** Collects tensors and notes, then writes them as one safetensors file. */
final class GoldenFile {
  private final Map<String, float[]> floats = new LinkedHashMap<>();
  private final Map<String, long[]> longs = new LinkedHashMap<>();
  private final List<TensorInfo> infos = new ArrayList<>();
  private final Map<String, String> notes = new LinkedHashMap<>();

  /** Adds a float64 tensor, rounded to F32. */
  void put(String name, Tensor tensor) {
    double[] values = Tensors.values(tensor);
    float[] rounded = new float[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) values[i];
    }
    floats.put(name, rounded);
    infos.add(new TensorInfo(name, DType.F32, Arrays.stream(Tensors.shape(tensor)).boxed().toList()));
  }

  /** Adds an I64 tensor of one axis. */
  void put(String name, long... values) {
    longs.put(name, values);
    infos.add(TensorInfo.of(name, DType.I64, values.length));
  }

  /** Adds the gradients of all parameters as {@code grad.NAME}. */
  void putGradients(LeafWeights weights) {
    weights.all().forEach((name, parameter) -> put("grad." + name, parameter.grad()));
  }

  /** Adds a pair to the metadata of the file. */
  void note(String key, String text) {
    notes.put(key, text);
  }

  /** Writes config.json as diffusers and transformers do. */
  static void writeConfig(Path folder, Map<String, Object> config) throws IOException {
    String json = new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(config);
    AtomicFiles.write(folder.resolve("config.json"), json + "\n");
  }

  void write(Path file) throws IOException {
    try (TensorSink sink = SafetensorsWriter.create(file, infos, notes)) {
      for (Map.Entry<String, float[]> entry : floats.entrySet()) {
        sink.writeFloats(entry.getKey(), entry.getValue());
      }
      for (Map.Entry<String, long[]> entry : longs.entrySet()) {
        sink.writeLongs(entry.getKey(), entry.getValue());
      }
      sink.commit();
    }
  }
}
