package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Backward pass of {@link Attention}, one pass over the scores. A task has some keys of one matrix, whose gradients it
 * finishes in chunks that stay in the cache ({@link AttentionChunk}). One chunk of all keys also finishes dq; else
 * a task adds up its share of dq, and the shares are joined in the order of the keys.
 */
final class AttentionBackward {
  final AttentionSizes sizes;
  final float[] q;
  final float[] k;
  final float[] v;
  final float[] dOut;
  final float[] dq;
  final float[] dk;
  final float[] dv;
  final AttentionPlan plan;
  /** lse to the base 2. */
  final float[] lse;
  /** [samples, heads, queries], sum_d dOut * out, which equals sum_keys p * dp. */
  final float[] delta;

  AttentionBackward(float[] dq, float[] dk, float[] dv, float[] dOut, float[] q, float[] k, float[] v,
      AttentionSizes sizes) {
    this.dq = dq;
    this.dk = dk;
    this.dv = dv;
    this.dOut = dOut;
    this.q = q;
    this.k = k;
    this.v = v;
    this.sizes = sizes;
    int rows = sizes.matrices() * sizes.queries();
    this.lse = Workspace.LOG_SUMS.floats(rows);
    this.delta = Workspace.DELTAS.floats(rows);
    this.plan = AttentionPlan.of(sizes);
  }

  /** Floats of the array that holds the shares of dq. */
  static int sharesSize(AttentionSizes sizes, AttentionPlan plan) {
    return plan.isOneChunk(sizes.keys()) ? 0
        : Math.multiplyExact(Math.multiplyExact(sizes.matrices(), plan.shares()), plan.shareSize());
  }

  void run(float[] out, float[] naturalLse) {
    prepare(out, naturalLse);
    int keys = sizes.keys();
    if (plan.isOneChunk(keys)) {
      Parallel.run(sizes.matrices(), matrix -> new AttentionChunk(this, matrix, 0, keys).finish());
      return;
    }
    float[] sums = Workspace.QUERY_SHARES.floats(sharesSize(sizes, plan));
    Parallel.run(sizes.matrices() * plan.shares(), task -> {
      int share = task * plan.shareSize();
      Arrays.fill(sums, share, share + plan.shareSize(), 0);
      int first = task % plan.shares() * plan.taskKeys();
      int end = Math.min(keys, first + plan.taskKeys());
      for (int key = first; key < end; key += plan.chunkKeys()) {
        int count = Math.min(plan.chunkKeys(), end - key);
        new AttentionChunk(this, task / plan.shares(), key, count).addTo(sums, share);
      }
    });
    joinShares(sums);
  }

  /** Token by token with all heads, as they lie in memory. */
  private void prepare(float[] out, float[] naturalLse) {
    int queries = sizes.queries();
    int heads = sizes.heads();
    int headDim = sizes.headDim();
    Parallel.ranges(sizes.samples() * queries, Elementwise.rowsPerTask(sizes.stride()), (from, to) -> {
      for (int token = from; token < to; token++) {
        int row = token / queries * heads * queries + token % queries;
        for (int head = 0; head < heads; head++, row += queries) {
          lse[row] = naturalLse[row] * FloatFunctions.LOG2_E;
          delta[row] = dot(dOut, out, (token * heads + head) * headDim, headDim);
        }
      }
    });
  }

  /** Four sums, since each addition waits for the one before. */
  private static float dot(float[] a, float[] b, int from, int n) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = from;
    for (; i + 4 <= from + n; i += 4) {
      s0 = Math.fma(a[i], b[i], s0);
      s1 = Math.fma(a[i + 1], b[i + 1], s1);
      s2 = Math.fma(a[i + 2], b[i + 2], s2);
      s3 = Math.fma(a[i + 3], b[i + 3], s3);
    }
    for (; i < from + n; i++) {
      s0 = Math.fma(a[i], b[i], s0);
    }
    return s0 + s1 + (s2 + s3);
  }

  private void joinShares(float[] sums) {
    int queries = sizes.queries();
    int headDim = sizes.headDim();
    float scale = sizes.scale();
    int shares = plan.shares();
    int size = plan.shareSize();
    Parallel.ranges(sizes.matrices() * queries, Elementwise.rowsPerTask(headDim * shares), (from, to) -> {
      for (int row = from; row < to; row++) {
        int target = sizes.queryStart(row / queries) + row % queries * sizes.stride();
        int source = row / queries * shares * size + row % queries * plan.width();
        for (int d = 0; d < headDim; d++) {
          float sum = sums[source + d];
          for (int share = 1; share < shares; share++) {
            sum += sums[source + share * size + d];
          }
          dq[target + d] = sum * scale;
        }
      }
    });
  }
}
