package org.diffusionrpo.diffusion.io;

import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Between the names and layouts of checkpoints and ours. With its neighbours {@link LdmMapping} and
 * {@link OpenClipMapping}, which {@link Naming} chooses from, the only place that renames or transposes weights.
 * In memory a convolution is [O, Kh, Kw, I], in files [O, I, Kh, Kw]; everything else is the same.
 */
public final class CheckpointMapping {
  /** Attention of the VAE as written by older versions of diffusers, the original SD 1.5 files among them. */
  private static final Map<String, String> OLD_VAE_ATTENTION = Map.of(
      ".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.");

  private CheckpointMapping() {}

  /** Where a parameter may stand in a file of diffusers or transformers, by today's name first. */
  static List<FileTensor> diffusers(String name) {
    if (name.contains("mid_block.attentions.0.")) {
      for (Map.Entry<String, String> pair : OLD_VAE_ATTENTION.entrySet()) {
        if (name.contains(pair.getKey())) {
          return List.of(FileTensor.whole(name), FileTensor.whole(name.replace(pair.getKey(), pair.getValue())));
        }
      }
    }
    return List.of(FileTensor.whole(name));
  }

  /** Name, type and shape of a parameter in the files that we write. */
  public static TensorInfo info(Parameter parameter, DType dtype) {
    return TensorInfo.of(parameter.name(), dtype, fileShape(parameter.shape()));
  }

  /** Sizes of a parameter's axes in a file, slowest first. */
  static int[] fileShape(Shape shape) {
    return isConvolution(shape)
        ? new int[] {shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2)}
        : shape.toArray();
  }

  /** True where files have another order of the values than memory has. */
  static boolean isPermuted(Shape shape) {
    return isConvolution(shape) && shape.dim(1) * shape.dim(2) > 1 && shape.dim(3) > 1;
  }

  /** Puts the first {@code rows} output channels of a convolution in a file's order into ours. */
  static void toMemory(Shape shape, float[] memory, float[] file, int rows) {
    permute(memory, file, rows, shape.dim(3), shape.dim(1) * shape.dim(2));
  }

  /** Values of a file in our layout. */
  public static float[] toMemory(Shape shape, float[] values) {
    if (!isPermuted(shape)) {
      return values;
    }
    float[] memory = new float[values.length];
    toMemory(shape, memory, values, shape.dim(0));
    return memory;
  }

  /** Our values in the layout of files. */
  public static float[] toFile(Shape shape, float[] values) {
    if (!isPermuted(shape)) {
      return values;
    }
    float[] file = new float[values.length];
    permute(file, values, shape.dim(0), shape.dim(1) * shape.dim(2), shape.dim(3));
    return file;
  }

  /** [outer, a, b] to [outer, b, a]. */
  static void permute(float[] to, float[] from, int outer, int a, int b) {
    for (int o = 0; o < outer; o++) {
      int base = o * a * b;
      for (int i = 0; i < a; i++) {
        for (int j = 0; j < b; j++) {
          to[base + j * a + i] = from[base + i * b + j];
        }
      }
    }
  }

  private static boolean isConvolution(Shape shape) {
    return shape.rank() == 4;
  }
}
