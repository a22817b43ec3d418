package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * Reads weights in pieces of 256 KiB, each converted and put where it stays, so that loading takes hardly more
 * memory than the loaded weights. The rows of a convolution are in the same order in files and in memory; only within a
 * row the order differs.
 */
final class WeightReader {
  private static final int PIECE = 1 << 16;

  private final TensorSource source;
  private float[] piece = new float[PIECE];
  private float[] permuted = new float[PIECE];

  WeightReader(TensorSource source) {
    this.source = source;
  }

  /** Fills a parameter's value from its place in the file. */
  void read(Tensor value, FileTensor place) throws IOException {
    Shape shape = value.shape();
    int size = shape.size();
    int row = place.transposed() ? size : CheckpointMapping.isPermuted(shape) ? size / shape.dim(0) : 1;
    if (row > piece.length) {
      piece = new float[row];
      permuted = new float[row];
    }
    long start = (long) place.part() * size;
    int step = piece.length / row * row;
    for (int count, first = 0; first < size; first += count) {
      count = Math.min(step, size - first);
      source.readFloats(place.name(), start + first, piece, count);
      value.backend().write(value, first, inOurOrder(shape, place, count / row), count);
    }
  }

  private float[] inOurOrder(Shape shape, FileTensor place, int rows) {
    if (place.transposed()) {
      CheckpointMapping.permute(permuted, piece, 1, shape.dim(1), shape.dim(0));
    } else if (CheckpointMapping.isPermuted(shape)) {
      CheckpointMapping.toMemory(shape, permuted, piece, rows);
    } else {
      return piece;
    }
    return permuted;
  }
}
