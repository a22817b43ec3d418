package org.diffusionrpo.diffusion.io;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Between the names and layouts of checkpoints and ours: the only place that renames or transposes weights.
 * In memory a convolution is [O, Kh, Kw, I], in files [O, I, Kh, Kw]; everything else is the same.
 */
public final class CheckpointMapping {
  /** Attention of the VAE as written by older versions of diffusers, the original SD 1.5 files among them. */
  private static final Map<String, String> OLD_VAE_ATTENTION = Map.of(
      ".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.");

  private CheckpointMapping() {}

  /** Names under which a parameter may stand in a file, today's first. */
  static List<String> names(Parameter parameter) {
    String name = parameter.name();
    if (name.contains("mid_block.attentions.0.")) {
      for (Map.Entry<String, String> pair : OLD_VAE_ATTENTION.entrySet()) {
        if (name.contains(pair.getKey())) {
          return List.of(name, name.replace(pair.getKey(), pair.getValue()));
        }
      }
    }
    return List.of(name);
  }

  /** Tensors that real files hold beside the parameters and that no model needs. */
  static boolean isIgnored(String name) {
    return name.endsWith("position_ids") || name.equals("logit_scale") || name.startsWith("model_ema");
  }

  /** Shape of a parameter in a file. */
  public static TensorInfo info(Parameter parameter, DType dtype) {
    return TensorInfo.of(parameter.name(), dtype, fileShape(parameter.shape()));
  }

  /** True if a tensor of this shape is the parameter: [O, I] and [O, I, 1, 1] are the same matrix. */
  static boolean fits(Parameter parameter, TensorInfo info) {
    return Arrays.equals(squeeze(fileShape(parameter.shape())), squeeze(info.dims()));
  }

  /** Values of a file in our layout. */
  public static float[] toMemory(Shape shape, float[] values) {
    return isConvolution(shape)
        ? permute(values, shape.dim(0), shape.dim(3), shape.dim(1) * shape.dim(2))
        : values;
  }

  /** Our values in the layout of files. */
  public static float[] toFile(Shape shape, float[] values) {
    return isConvolution(shape)
        ? permute(values, shape.dim(0), shape.dim(1) * shape.dim(2), shape.dim(3))
        : values;
  }

  /** [outer, a, b] to [outer, b, a]. */
  private static float[] permute(float[] values, int outer, int a, int b) {
    if (a == 1 || b == 1) {
      return values;
    }
    float[] permuted = new float[values.length];
    for (int o = 0; o < outer; o++) {
      int base = o * a * b;
      for (int i = 0; i < a; i++) {
        for (int j = 0; j < b; j++) {
          permuted[base + j * a + i] = values[base + i * b + j];
        }
      }
    }
    return permuted;
  }

  private static boolean isConvolution(Shape shape) {
    return shape.rank() == 4;
  }

  private static int[] fileShape(Shape shape) {
    return isConvolution(shape)
        ? new int[] {shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2)}
        : shape.toArray();
  }

  private static int[] squeeze(int[] dims) {
    boolean pointwise = dims.length == 4 && dims[2] == 1 && dims[3] == 1;
    return pointwise ? Arrays.copyOf(dims, 2) : dims;
  }
}
