package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import java.nio.ByteBuffer;
import jcuda.driver.CUstream;

/** Copies between Java arrays and the device, in the order of the compute stream, by way of two pinned pieces. */
final class Transfers implements AutoCloseable {
  private static final int PIECE = 4 << 20;

  private final DeviceMemory memory;
  private final CUstream compute;
  private final Pinned[] pieces = new Pinned[2];
  private int next;

  Transfers(DeviceMemory memory, CUstream compute) {
    this.memory = memory;
    this.compute = compute;
  }

  /** Fills or empties part of a piece: {@code count} elements of the Java array from {@code first} on. */
  private interface Move {
    void run(ByteBuffer piece, int first, int count);
  }

  void write(DeviceBuffer y, long byteOffset, float[] values, int count) {
    write(y, byteOffset, count, Float.BYTES, (piece, first, n) -> piece.asFloatBuffer().put(values, first, n));
  }

  void write(DeviceBuffer y, long byteOffset, short[] values, int count) {
    write(y, byteOffset, count, Short.BYTES, (piece, first, n) -> piece.asShortBuffer().put(values, first, n));
  }

  void read(float[] out, DeviceBuffer x) {
    read(x, out.length, Float.BYTES, (piece, first, n) -> piece.asFloatBuffer().get(out, first, n));
  }

  void read(short[] out, DeviceBuffer x) {
    read(x, out.length, Short.BYTES, (piece, first, n) -> piece.asShortBuffer().get(out, first, n));
  }

  void read(double[] out, DeviceBuffer x) {
    read(x, out.length, Double.BYTES, (piece, first, n) -> piece.asDoubleBuffer().get(out, first, n));
  }

  private void write(DeviceBuffer y, long byteOffset, int count, int width, Move fill) {
    int step = PIECE / width;
    for (int first = 0; first < count; first += step) {
      int n = Math.min(step, count - first);
      Pinned piece = piece();
      fill.run(piece.await(), first, n);
      Status.driver("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(
          y.at(byteOffset + (long) first * width).pointer(), piece.pointer(), (long) n * width, compute));
      piece.usedBy(compute);
    }
  }

  private void read(DeviceBuffer x, int count, int width, Move empty) {
    int step = PIECE / width;
    for (int first = 0; first < count; first += step) {
      int n = Math.min(step, count - first);
      Pinned piece = piece();
      ByteBuffer bytes = piece.await();
      Status.driver("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(
          piece.pointer(), x.at((long) first * width).pointer(), (long) n * width, compute));
      Status.driver("cuStreamSynchronize", cuStreamSynchronize(compute));
      empty.run(bytes, first, n);
    }
  }

  private Pinned piece() {
    next = 1 - next;
    if (pieces[next] == null) {
      pieces[next] = new Pinned(memory, PIECE);
    }
    return pieces[next];
  }

  @Override
  public void close() {
    for (Pinned piece : pieces) {
      if (piece != null) {
        piece.close();
      }
    }
  }
}
