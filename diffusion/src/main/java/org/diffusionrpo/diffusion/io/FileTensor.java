package org.diffusionrpo.diffusion.io;

import java.util.Arrays;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Where the values of a parameter stand in a file.
 *
 * @param part which of {@code parts} equal blocks of rows of the tensor is the parameter: OpenCLIP keeps query, key and
 *     value of an attention one below the other
 * @param transposed whether the file has [I, O] for our [O, I]
 */
public record FileTensor(String name, int part, int parts, boolean transposed) {
  static FileTensor whole(String name) {
    return new FileTensor(name, 0, 1, false);
  }

  /** True if a tensor of this shape holds the parameter: [O, I] and [O, I, 1, 1] are the same matrix. */
  boolean fits(Parameter parameter, TensorInfo info) {
    return Arrays.equals(squeeze(dims(parameter)), squeeze(info.dims()));
  }

  /** Sizes of the axes in the file, slowest first. */
  int[] dims(Parameter parameter) {
    int[] dims = CheckpointMapping.fileShape(parameter.shape());
    if (parts > 1) {
      dims[0] *= parts;
    }
    return transposed ? new int[] {dims[1], dims[0]} : dims;
  }

  private static int[] squeeze(int[] dims) {
    boolean pointwise = dims.length == 4 && dims[2] == 1 && dims[3] == 1;
    return pointwise ? Arrays.copyOf(dims, 2) : dims;
  }
}
