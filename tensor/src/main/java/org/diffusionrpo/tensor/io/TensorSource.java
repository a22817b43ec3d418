package org.diffusionrpo.tensor.io;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Named tensors that are read one at a time: one safetensors file, or several with their index. */
public interface TensorSource extends Closeable {
  /** The names of all tensors, in the order of the data. */
  Set<String> names();

  /** Type and shape of a tensor; {@link IllegalArgumentException} if there is none of that name. */
  TensorInfo info(String name);

  /** The values of an F32, F16 or BF16 tensor, row-major; {@link IOException} for any other type. */
  float[] readFloats(String name) throws IOException;

  /**
   * Reads the elements from {@code first} on of an F32, F16 or BF16 tensor into the first {@code count} values: how
   * large tensors are read in pieces. {@link IOException} for any other type.
   */
  void readFloats(String name, long first, float[] values, int count) throws IOException;

  /** The bit patterns of an F16 or BF16 tensor, row-major; {@link IOException} for any other type. */
  short[] readHalves(String name) throws IOException;

  /** The values of an I64 tensor, row-major; {@link IOException} for any other type. */
  long[] readLongs(String name) throws IOException;

  /** The free-form pairs of {@code __metadata__}; empty for files with an index. */
  Map<String, String> metadata();

  /** Opens a safetensors file, or an index when the name ends in {@code .json}. */
  static TensorSource open(Path file) throws IOException {
    return file.toString().endsWith(".json") ? ShardedSafetensors.open(file) : SafetensorsFile.open(file);
  }

  /**
   * Opens the weights of a component by the file names of diffusers and transformers.
   *
   * @param stem e.g. {@code diffusion_pytorch_model} or {@code model}
   * @param variant e.g. {@code fp16}, taken if there is one, else the plain file; null for the plain file. It is only a
   *     part of the file name and says nothing of the types inside
   */
  static TensorSource open(Path folder, String stem, String variant) throws IOException {
    List<String> names = new ArrayList<>();
    if (variant != null) {
      names.add(stem + "." + variant + ".safetensors");
      names.add(stem + ".safetensors.index." + variant + ".json");
      names.add(stem + ".safetensors." + variant + ".index.json");
    }
    names.add(stem + ".safetensors");
    names.add(stem + ".safetensors.index.json");
    for (String name : names) {
      if (Files.exists(folder.resolve(name))) {
        return open(folder.resolve(name));
      }
    }
    throw new FileNotFoundException(folder + ": no weights, expected one of " + String.join(", ", names));
  }
}
