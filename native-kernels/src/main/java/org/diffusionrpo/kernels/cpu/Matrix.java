package org.diffusionrpo.kernels.cpu;

/**
 * A read-only view of an array as a matrix, row-major or transposed, at an offset and with a leading dimension.
 * <pre>
 *   rowMajor      element (r, c) = data[offset + r * ld + c]
 *   transposed    element (r, c) = data[offset + c * ld + r]
 * </pre>
 */
public final class Matrix {
  private final Weights data;
  private final int offset;
  private final int ld;
  private final boolean transposed;

  private Matrix(Weights data, int offset, int ld, boolean transposed) {
    if (offset < 0 || ld < 1) {
      throw new IllegalArgumentException("Matrix: offset " + offset + ", leading dimension " + ld
          + ": expected offset >= 0 and leading dimension >= 1");
    }
    this.data = data;
    this.offset = offset;
    this.ld = ld;
    this.transposed = transposed;
  }

  public static Matrix rowMajor(Weights data, int offset, int ld) {
    return new Matrix(data, offset, ld, false);
  }

  public static Matrix rowMajor(float[] data, int offset, int ld) {
    return rowMajor(Weights.of(data), offset, ld);
  }

  public static Matrix transposed(Weights data, int offset, int ld) {
    return new Matrix(data, offset, ld, true);
  }

  public static Matrix transposed(float[] data, int offset, int ld) {
    return transposed(Weights.of(data), offset, ld);
  }

  /** The other view of the same elements: (r, c) becomes (c, r). */
  Matrix transpose() {
    return new Matrix(data, offset, ld, !transposed);
  }

  /** As the left operand: i counts rows, p columns. */
  PanelSource rows() {
    return transposed ? new ContiguousPanels(data, offset, ld) : new MatrixLines(data, offset, ld);
  }

  /** As the right operand: i counts columns, p rows. */
  PanelSource columns() {
    return transpose().rows();
  }

  /** Throws unless a rows x columns matrix lies inside the array. */
  void check(String name, int rows, int columns) {
    int lines = transposed ? columns : rows;
    int lineLength = transposed ? rows : columns;
    if (lineLength > ld && lines > 1) {
      throw new IllegalArgumentException("Gemm: " + name + " [" + rows + ", " + columns + "]"
          + (transposed ? " transposed" : "") + " needs a leading dimension of " + lineLength + ", got " + ld);
    }
    long end = lines == 0 || lineLength == 0 ? 0 : offset + (lines - 1L) * ld + lineLength;
    if (end > data.length()) {
      throw new IllegalArgumentException("Gemm: " + name + " [" + rows + ", " + columns + "] at offset " + offset
          + " with leading dimension " + ld + " ends at " + end + ", but its array has " + data.length());
    }
  }
}
