package org.diffusionrpo.tensor;

import java.util.Arrays;

/** The extents of a tensor, outermost first. Immutable; the last axis is contiguous in memory. */
public final class Shape {
  private final int[] dims;

  private Shape(int[] dims) {
    this.dims = dims;
  }

  /** A shape of these extents, each at least 1; no extents at all is a scalar. Fails above 2^31 - 1 elements. */
  public static Shape of(int... dims) {
    long size = 1;
    for (int dim : dims) {
      if (dim < 1) {
        throw new IllegalArgumentException("shape " + Arrays.toString(dims) + " has an extent below 1");
      }
      size *= dim;
      if (size > Integer.MAX_VALUE) {
        throw new IllegalArgumentException("shape " + Arrays.toString(dims) + " has more than 2^31 - 1 elements");
      }
    }
    return new Shape(dims.clone());
  }

  public int rank() {
    return dims.length;
  }

  /** Extent of an axis; negative axes count from the end, -1 is the last. */
  public int dim(int axis) {
    return dims[axis < 0 ? dims.length + axis : axis];
  }

  /** Number of elements. */
  public int size() {
    return product(0, dims.length);
  }

  /** Elements of one row: the product of all axes from {@code axis} on. */
  public int sizeFrom(int axis) {
    return product(axis, dims.length);
  }

  /** Number of rows: the product of all axes before {@code axis}; negative axes count from the end. */
  public int sizeBefore(int axis) {
    return product(0, axis < 0 ? dims.length + axis : axis);
  }

  /** The same shape with the last extent replaced. */
  public Shape withLast(int extent) {
    return with(dims.length - 1, extent);
  }

  /** The same shape with one extent replaced. */
  public Shape with(int axis, int extent) {
    int[] changed = dims.clone();
    changed[axis] = extent;
    return of(changed);
  }

  public int[] toArray() {
    return dims.clone();
  }

  private int product(int from, int to) {
    int product = 1;
    for (int i = from; i < to; i++) {
      product *= dims[i];
    }
    return product;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [2, 64, 64, 320]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
