package org.diffusionrpo.diffusion.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.diffusionrpo.diffusion.io.CheckpointMapping;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;

/** LoRAs with random values for some layers of a tiny model, and files of any spelling. */
final class TinyLora {
  /** A linear layer, one with a number at its end, a 1 x 1 convolution, 3 x 3 ones, and the text encoder. */
  static final List<String> MODULES = List.of(
      "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
      "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0",
      "unet.down_blocks.0.attentions.0.proj_in",
      "unet.down_blocks.0.resnets.0.conv1",
      "unet.down_blocks.0.downsamplers.0.conv",
      "text_encoder.text_model.encoder.layers.0.self_attn.q_proj",
      "text_encoder.text_model.encoder.layers.0.mlp.fc1");

  private TinyLora() {}

  /** Layers for these modules, {@code component.path} each; ranks 2, 3, 2, 3, ... and alphas of their own. */
  static List<LoraLayer> layers(LoraModules modules, List<String> names, DType dtype, long seed) {
    List<LoraLayer> layers = new ArrayList<>();
    for (String name : names) {
      LoraModules.Module module = modules.find(name);
      Parameter weight = module.slot().weight();
      int rank = 2 + layers.size() % 2;
      int[] down = CheckpointMapping.info(weight, dtype).dims();
      int[] up = down.length == 2 ? new int[] {down[0], rank} : new int[] {down[0], rank, 1, 1};
      down[0] = rank;
      layers.add(new LoraLayer(module.component(), module.path(), matrix(dtype, down, name + "/down", seed),
          matrix(dtype, up, name + "/up", seed), 1.5 + layers.size()));
    }
    return layers;
  }

  /** Values that F16 holds exactly, so that a file of halves gives back the same. */
  private static LoraLayer.Matrix matrix(DType dtype, int[] dims, String name, long seed) {
    int size = 1;
    for (int dim : dims) {
      size *= dim;
    }
    float[] values = new float[size];
    Philox random = Philox.stream(seed, name, 0);
    for (int i = 0; i < size; i++) {
      values[i] = (random.nextInt(201) - 100) / 128f;
    }
    return new LoraLayer.Matrix(dtype, dims, values);
  }

  /** How one family of files spells the three tensors of a layer; null for a tensor that it does not write. */
  record Spelling(Function<LoraLayer, String> down, Function<LoraLayer, String> up,
      Function<LoraLayer, String> alpha) {}

  static void write(Path file, List<LoraLayer> layers, Spelling spelling) throws IOException {
    Map<TensorInfo, float[]> tensors = new LinkedHashMap<>();
    for (LoraLayer layer : layers) {
      DType dtype = layer.down().dtype();
      tensors.put(TensorInfo.of(spelling.down.apply(layer), dtype, layer.down().dims()), layer.down().values());
      tensors.put(TensorInfo.of(spelling.up.apply(layer), dtype, layer.up().dims()), layer.up().values());
      if (spelling.alpha != null) {
        tensors.put(TensorInfo.of(spelling.alpha.apply(layer), DType.F32), new float[] {(float) layer.alpha()});
      }
    }
    write(file, tensors, Map.of());
  }

  static void write(Path file, Map<TensorInfo, float[]> tensors, Map<String, String> metadata) throws IOException {
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors.keySet(), metadata)) {
      for (Map.Entry<TensorInfo, float[]> tensor : tensors.entrySet()) {
        writer.writeFloats(tensor.getKey().name(), tensor.getValue());
      }
      writer.commit();
    }
  }

  static void assertSame(List<LoraLayer> expected, List<LoraLayer> found) {
    Map<String, String> a = new TreeMap<>();
    Map<String, String> b = new TreeMap<>();
    expected.forEach(layer -> a.put(layer.component() + "." + layer.module(), text(layer)));
    found.forEach(layer -> b.put(layer.component() + "." + layer.module(), text(layer)));
    assertEquals(a, b);
  }

  private static String text(LoraLayer layer) {
    return layer.alpha() + " " + text(layer.down()) + " " + text(layer.up());
  }

  private static String text(LoraLayer.Matrix matrix) {
    return matrix.dtype() + Arrays.toString(matrix.dims()) + " values " + Arrays.hashCode(matrix.values());
  }
}
