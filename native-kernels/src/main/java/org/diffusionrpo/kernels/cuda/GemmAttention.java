package org.diffusionrpo.kernels.cuda;

/**
 * {@link Attention} of any heads, made for the single one of 512 features in the VAE: matrix products of one head of
 * one sample at a time, with the scores of as many queries in memory as the workspace holds. Backward computes the
 * probabilities again from lse, as the tiled kernels do, and adds up dk and dv in the order of the queries.
 */
final class GemmAttention {
  /** Bytes of one matrix of scores; backward has two. */
  private static final long WORKSPACE = 64 << 20;

  private final DeviceMemory memory;
  private final long workspace;
  private final Gemm gemm;
  private final Softmax softmax;

  GemmAttention(CudaDevice device) {
    this(device, WORKSPACE);
  }

  /** @param workspace bytes of one matrix of scores; a single query may need more */
  GemmAttention(CudaDevice device, long workspace) {
    this.memory = device.memory();
    this.workspace = workspace;
    this.gemm = new Gemm(device);
    this.softmax = new Softmax(device);
  }

  /** Some queries of one head: where they are, in bytes from the start of their tensors. */
  private record Chunk(AttentionSizes sizes, int sample, int head, int first, int rows) {
    long queryAt() {
      return sizes.queryAt(sample, head, first);
    }

    long keyAt() {
      return sizes.keyAt(sample, head);
    }

    long rowAt() {
      return sizes.rowAt(sample, head, first);
    }
  }

  private interface ChunkTask {
    void run(Chunk chunk);
  }

  private int chunkRows(AttentionSizes sizes) {
    return (int) Math.max(1, Math.min(sizes.queries(), workspace / Float.BYTES / Math.max(1, sizes.keys())));
  }

  private void forEachChunk(AttentionSizes sizes, ChunkTask task) {
    int step = chunkRows(sizes);
    for (int sample = 0; sample < sizes.samples(); sample++) {
      for (int head = 0; head < sizes.heads(); head++) {
        for (int first = 0; first < sizes.queries(); first += step) {
          task.run(new Chunk(sizes, sample, head, first, Math.min(step, sizes.queries() - first)));
        }
      }
    }
  }

  private DeviceBuffer takeScores(AttentionSizes sizes) {
    return memory.take((long) chunkRows(sizes) * sizes.keys() * Float.BYTES);
  }

  void forward(DeviceBuffer out, DeviceBuffer lse, DeviceBuffer q, DeviceBuffer k, DeviceBuffer v,
      AttentionSizes sizes) {
    int keys = sizes.keys();
    int stride = sizes.stride();
    try (DeviceBuffer p = takeScores(sizes)) {
      forEachChunk(sizes, chunk -> {
        scores(p, q, k, chunk);
        softmax.forward(p, lse.at(chunk.rowAt()), chunk.rows(), keys, chunk.first(), sizes.causal());
        gemm.multiply(out.at(chunk.queryAt()), stride, p, keys, false, v.at(chunk.keyAt()), stride, false, chunk.rows(),
            sizes.headDim(), keys, 1, 0);
      });
    }
  }

  void backward(DeviceBuffer dq, DeviceBuffer dk, DeviceBuffer dv, DeviceBuffer dOut, DeviceBuffer q, DeviceBuffer k,
      DeviceBuffer v, DeviceBuffer out, DeviceBuffer lse, AttentionSizes sizes) {
    int keys = sizes.keys();
    int headDim = sizes.headDim();
    int stride = sizes.stride();
    try (DeviceBuffer scale = softmax.scaleOf(dOut, sizes);
        DeviceBuffer delta = memory.take(sizes.rows() * Float.BYTES);
        DeviceBuffer p = takeScores(sizes);
        DeviceBuffer ds = takeScores(sizes)) {
      softmax.delta(delta, dOut, out, scale, sizes);
      forEachChunk(sizes, chunk -> {
        int rows = chunk.rows();
        int keep = chunk.first() == 0 ? 0 : 1; // the first chunk overwrites dk and dv
        DeviceBuffer dOutRows = dOut.at(chunk.queryAt());
        scores(p, q, k, chunk);
        gemm.multiply(ds, keys, dOutRows, stride, false, v.at(chunk.keyAt()), stride, true, rows, keys, headDim, 1, 0);
        softmax.backward(p, ds, lse.at(chunk.rowAt()), delta.at(chunk.rowAt()), rows, keys, chunk.first(),
            sizes.scale(), sizes.causal());
        gemm.multiply(dv.at(chunk.keyAt()), stride, p, keys, true, dOutRows, stride, false, keys, headDim, rows, 1,
            keep);
        gemm.multiply(dk.at(chunk.keyAt()), stride, ds, keys, true, q.at(chunk.queryAt()), stride, false, keys, headDim,
            rows, 1, keep);
        gemm.multiply(dq.at(chunk.queryAt()), stride, ds, keys, false, k.at(chunk.keyAt()), stride, false, rows,
            headDim, keys, 1, 0);
      });
    }
  }

  /** {@code p [rows, keys] = q k^T / sqrt(headDim)}. */
  private void scores(DeviceBuffer p, DeviceBuffer q, DeviceBuffer k, Chunk chunk) {
    AttentionSizes sizes = chunk.sizes();
    gemm.multiply(p, sizes.keys(), q.at(chunk.queryAt()), sizes.stride(), false, k.at(chunk.keyAt()), sizes.stride(),
        true, chunk.rows(), sizes.keys(), sizes.headDim(), sizes.scale(), 0);
  }
}
