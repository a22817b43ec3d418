package org.diffusionrpo.kernels.cuda;

/**
 * Elementwise arithmetic, broadcasts with the sums that are their gradients, and concatenation. Outputs may be inputs,
 * except of {@link #concat} and {@link #split}.
 */
public final class Elementwise {
  private final CudaDevice device;

  public Elementwise(CudaDevice device) {
    this.device = device;
  }

  /** {@code y = a + b} on the first n elements. */
  public void add(DeviceBuffer y, DeviceBuffer a, DeviceBuffer b, long n) {
    launch("add", quads(n), y, a, b, n);
  }

  /** {@code y += x}. */
  public void addTo(DeviceBuffer y, DeviceBuffer x, long n) {
    add(y, y, x, n);
  }

  /** {@code y = s * x}. */
  public void scale(DeviceBuffer y, DeviceBuffer x, float s, long n) {
    launch("scale", quads(n), y, x, s, n);
  }

  /** {@code y += a * x}. */
  public void axpy(DeviceBuffer y, float a, DeviceBuffer x, long n) {
    launch("axpy", quads(n), y, a, x, n);
  }

  /** {@code y = v}. */
  public void fill(DeviceBuffer y, float v, long n) {
    launch("fill", quads(n), y, v, n);
  }

  /** {@code average += weight * (x - average)}, the step of a moving average. */
  public void lerp(DeviceBuffer average, DeviceBuffer x, float weight, long n) {
    launch("lerp", quads(n), average, x, weight, n);
  }

  /** {@code y[r, c] = x[r, c] + v[c]}. */
  public void addBroadcast(DeviceBuffer y, DeviceBuffer x, DeviceBuffer v, int rows, int columns) {
    addPerSample(y, x, v, 1, rows, columns);
  }

  /** {@code dv[c] += sum_r dy[r, c]}; nothing when dv is null. */
  public void sumRows(DeviceBuffer dv, DeviceBuffer dy, int rows, int columns) {
    sumPositions(dv, dy, 1, rows, columns);
  }

  /** {@code y[n, p, c] = x[n, p, c] + v[n, c]}. */
  public void addPerSample(DeviceBuffer y, DeviceBuffer x, DeviceBuffer v, int samples, int positions, int channels) {
    ColumnTiles tiles = ColumnTiles.of(positions, channels);
    launch("add_per_sample", tiles.grid(samples), y, x, v, samples, positions, channels, tiles.chunkRows());
  }

  /** {@code dv[n, c] += sum_p dy[n, p, c]}; nothing when dv is null. */
  public void sumPositions(DeviceBuffer dv, DeviceBuffer dy, int samples, int positions, int channels) {
    if (dv == null) {
      return;
    }
    ColumnTiles tiles = ColumnTiles.of(positions, channels);
    try (DeviceBuffer parts = device.memory().take(tiles.partBytes(samples, 1))) {
      launch("sum_positions_parts", tiles.grid(samples), parts, dy, samples, positions, channels, tiles.chunkRows());
      launch("sum_positions", tiles.join(samples), dv, parts, samples, tiles.chunks(), channels);
    }
  }

  /** {@code y[o] = [a[o], b[o]]}: joins rows of innerA and innerB elements. */
  public void concat(DeviceBuffer y, DeviceBuffer a, DeviceBuffer b, int outer, int innerA, int innerB) {
    int inner = Math.addExact(innerA, innerB);
    copyRows(y, a, outer, innerA, inner, innerA);
    copyRows(y.at((long) innerA * Float.BYTES), b, outer, innerB, inner, innerB);
  }

  /** {@code [a[o], b[o]] = y[o]}, the gradient of {@link #concat}; a or b may be null when it is not wanted. */
  public void split(DeviceBuffer a, DeviceBuffer b, DeviceBuffer y, int outer, int innerA, int innerB) {
    int inner = Math.addExact(innerA, innerB);
    if (a != null) {
      copyRows(a, y, outer, innerA, innerA, inner);
    }
    if (b != null) {
      copyRows(b, y.at((long) innerA * Float.BYTES), outer, innerB, innerB, inner);
    }
  }

  private void copyRows(DeviceBuffer y, DeviceBuffer x, long rows, int inner, int yStride, int xStride) {
    launch("copy_rows", quads(rows * inner), y, x, rows, inner, yStride, xStride);
  }

  /** For kernels whose threads take four elements at a time. */
  static Grid quads(long n) {
    return Grid.elements((n + 3) / 4);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("elementwise").launch(kernel, grid, arguments);
  }
}
