package org.diffusionrpo.kernels.cuda;

/**
 * Group normalisation of NHWC data. Wu and He 2018, arXiv:1803.08494, section 3.1.
 * <pre>
 *   x, y [samples, positions, channels]     gamma, beta [channels]     mean, rstd [samples, groups]
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps)
 * </pre>
 * mean and var (biased) run over the positions * channels / groups values of one group. Moments are taken per channel
 * and chunk of positions, and joined without cancellation: Chan, Golub and LeVeque 1979.
 */
public final class GroupNorm {
  /** Of the kernels that give one block to each group of a sample. */
  private static final int GROUP_THREADS = 128;

  private final CudaDevice device;

  public GroupNorm(CudaDevice device) {
    this.device = device;
  }

  /** Also writes mean and rstd, which backward needs. y may be x. */
  public void forward(DeviceBuffer y, DeviceBuffer mean, DeviceBuffer rstd, DeviceBuffer x, DeviceBuffer gamma,
      DeviceBuffer beta, int samples, int positions, int channels, int groups, float eps) {
    forward("group_norm_apply", y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, eps);
  }

  /** {@code y = silu(group norm of x)} in one go. Also writes mean and rstd. y may be x. */
  public void forwardSilu(DeviceBuffer y, DeviceBuffer mean, DeviceBuffer rstd, DeviceBuffer x, DeviceBuffer gamma,
      DeviceBuffer beta, int samples, int positions, int channels, int groups, float eps) {
    forward("group_norm_apply_silu", y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, eps);
  }

  private void forward(String apply, DeviceBuffer y, DeviceBuffer mean, DeviceBuffer rstd, DeviceBuffer x,
      DeviceBuffer gamma, DeviceBuffer beta, int samples, int positions, int channels, int groups, float eps) {
    checkGroups(channels, groups);
    ColumnTiles tiles = ColumnTiles.of(positions, channels);
    try (DeviceBuffer parts = device.memory().take(tiles.partBytes(samples, 2))) {
      launch("group_norm_moment_parts", tiles.grid(samples), parts, x, samples, positions, channels,
          tiles.chunkRows());
      launch("group_norm_moments", perGroup(samples, groups), mean, rstd, parts, positions, channels, groups,
          tiles.chunks(), tiles.chunkRows(), eps);
    }
    launch(apply, tiles.grid(samples), y, x, mean, rstd, gamma, beta, samples, positions, channels, groups,
        tiles.chunkRows());
  }

  /**
   * Overwrites dx; adds to dGamma and dBeta, each of which may be null. dx may be dy. With
   * {@code h = dy * gamma} and {@code xn = (x - mean) * rstd}: {@code dx = rstd * (h - mean(h) - xn * mean(h * xn))}.
   */
  public void backward(DeviceBuffer dx, DeviceBuffer dGamma, DeviceBuffer dBeta, DeviceBuffer dy, DeviceBuffer x,
      DeviceBuffer gamma, DeviceBuffer mean, DeviceBuffer rstd, int samples, int positions, int channels,
      int groups) {
    checkGroups(channels, groups);
    ColumnTiles tiles = ColumnTiles.of(positions, channels);
    try (DeviceBuffer parts = device.memory().take(tiles.partBytes(samples, 2));
        DeviceBuffer lines = device.memory().take(lineBytes(samples, groups))) {
      launch("group_norm_gradient_parts", tiles.grid(samples), parts, dy, x, mean, rstd, gamma, samples, positions,
          channels, groups, tiles.chunkRows());
      join(lines, dGamma, dBeta, parts, rstd, gamma, samples, groups, tiles);
      launch("group_norm_gradient", tiles.grid(samples), dx, dy, x, lines, mean, rstd, gamma, samples, positions,
          channels, groups, tiles.chunkRows());
    }
  }

  /** The gradient of {@link #forwardSilu}. It computes the normalised values again, hence beta. dx may be dy. */
  public void backwardSilu(DeviceBuffer dx, DeviceBuffer dGamma, DeviceBuffer dBeta, DeviceBuffer dy, DeviceBuffer x,
      DeviceBuffer gamma, DeviceBuffer beta, DeviceBuffer mean, DeviceBuffer rstd, int samples, int positions,
      int channels, int groups) {
    checkGroups(channels, groups);
    ColumnTiles tiles = ColumnTiles.of(positions, channels);
    try (DeviceBuffer parts = device.memory().take(tiles.partBytes(samples, 2));
        DeviceBuffer lines = device.memory().take(lineBytes(samples, groups))) {
      launch("group_norm_gradient_parts_silu", tiles.grid(samples), parts, dy, x, mean, rstd, gamma, beta, samples,
          positions, channels, groups, tiles.chunkRows());
      join(lines, dGamma, dBeta, parts, rstd, gamma, samples, groups, tiles);
      launch("group_norm_gradient_silu", tiles.grid(samples), dx, dy, x, lines, mean, rstd, gamma, beta, samples,
          positions, channels, groups, tiles.chunkRows());
    }
  }

  /** From the sums of all chunks: what dx needs of each group, and the gradients of the parameters. */
  private void join(DeviceBuffer lines, DeviceBuffer dGamma, DeviceBuffer dBeta, DeviceBuffer parts,
      DeviceBuffer rstd, DeviceBuffer gamma, int samples, int groups, ColumnTiles tiles) {
    launch("group_norm_gradient_lines", perGroup(samples, groups), lines, parts, rstd, gamma, tiles.rows(),
        tiles.columns(), groups, tiles.chunks());
    if (dGamma != null || dBeta != null) {
      launch("group_norm_parameters", tiles.join(1), dGamma, dBeta, parts, rstd, samples, tiles.columns(), groups,
          tiles.chunks());
    }
  }

  private static Grid perGroup(int samples, int groups) {
    return Grid.of(Math.multiplyExact(samples, groups), GROUP_THREADS);
  }

  private static long lineBytes(int samples, int groups) {
    return 2L * samples * groups * Float.BYTES;
  }

  private static void checkGroups(int channels, int groups) {
    if (groups <= 0 || channels % groups != 0) {
      throw new IllegalArgumentException("GroupNorm: " + groups + " groups do not divide " + channels + " channels");
    }
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("group_norm").launch(kernel, grid, arguments);
  }
}
