package org.diffusionrpo.kernels.cuda;

/**
 * Layer normalisation of the last axis. Ba, Kiros and Hinton 2016, arXiv:1607.06450.
 * <pre>
 *   x, y [rows, columns]     gamma, beta [columns]     mean, rstd [rows]
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps)
 * </pre>
 */
public final class LayerNorm {
  private static final int WARP = 32;
  /** Each takes one row; few, so that few rows still spread over the device. */
  private static final int WARPS = 4;

  private final CudaDevice device;

  public LayerNorm(CudaDevice device) {
    this.device = device;
  }

  /** Also writes mean and rstd, which backward needs. y may be x. */
  public void forward(DeviceBuffer y, DeviceBuffer mean, DeviceBuffer rstd, DeviceBuffer x, DeviceBuffer gamma,
      DeviceBuffer beta, int rows, int columns, float eps) {
    launch("layer_norm_forward", perRow(rows), y, mean, rstd, x, gamma, beta, rows, columns, eps);
  }

  /** Overwrites dx; adds to dGamma and dBeta, each of which may be null. dx may be dy. */
  public void backward(DeviceBuffer dx, DeviceBuffer dGamma, DeviceBuffer dBeta, DeviceBuffer dy, DeviceBuffer x,
      DeviceBuffer gamma, DeviceBuffer mean, DeviceBuffer rstd, int rows, int columns) {
    if (dGamma != null || dBeta != null) { // before dx, which may overwrite dy
      ColumnTiles tiles = ColumnTiles.of(rows, columns);
      try (DeviceBuffer parts = device.memory().take(tiles.partBytes(1, 2))) {
        launch("layer_norm_parameter_parts", tiles.grid(1), parts, dy, x, mean, rstd, rows, columns,
            tiles.chunkRows());
        launch("layer_norm_parameters", tiles.join(1), dGamma, dBeta, parts, columns, tiles.chunks());
      }
    }
    launch("layer_norm_gradient", perRow(rows), dx, dy, x, gamma, mean, rstd, rows, columns);
  }

  private static Grid perRow(int rows) {
    return Grid.of((rows + WARPS - 1) / WARPS, WARPS * WARP);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("layer_norm").launch(kernel, grid, arguments);
  }
}
