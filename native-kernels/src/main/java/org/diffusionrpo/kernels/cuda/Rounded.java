package org.diffusionrpo.kernels.cuda;

/**
 * An operand in the format that the library multiplies in: the operand itself, or a copy in workspace.
 *
 * @param scale what fp16 values were multiplied with, one float on the device; null in other formats
 */
record Rounded(DeviceBuffer buffer, Format format, DeviceBuffer scale, boolean isCopy) implements AutoCloseable {
  @Override
  public void close() {
    if (isCopy) {
      buffer.close();
    }
    if (scale != null) {
      scale.close();
    }
  }
}
