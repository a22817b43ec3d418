package org.diffusionrpo.kernels.cpu;

/**
 * How {@link AttentionBackward} cuts the keys of a matrix. Nothing here depends on the number of threads, or on that of
 * the samples: a batch has the bits of its samples.
 *
 * @param width leading dimension of sums of dq: headDim in whole vectors
 * @param taskKeys keys of one task
 * @param chunkKeys keys that a task has in the cache at once
 * @param shares tasks of one matrix, each with a share of dq
 * @param shareSize floats of a share
 */
record AttentionPlan(int width, int taskKeys, int chunkKeys, int shares, int shareSize) {
  private static final int MR = Simd.ATTENTION_TILE.rows();
  private static final int NR = Simd.ATTENTION_TILE.columns();
  /** Tasks of a sample to aim for, where its heads alone are fewer: each costs a share of dq. */
  private static final int TASKS = 16;
  /** Fewer keys are not worth a share. */
  private static final int MIN_TASK_KEYS = 256;
  /** Floats of a chunk of keys: half of a usual second-level cache. */
  private static final int CHUNK_FLOATS = 128 * 1024;
  /** However long the features are: each chunk packs all queries again. */
  private static final int MIN_CHUNK_PANELS = 4;

  static AttentionPlan of(AttentionSizes sizes) {
    int keys = sizes.keys();
    int width = AttentionPanels.ceil(sizes.headDim(), NR / 2);
    int tasks = (TASKS + sizes.heads() - 1) / sizes.heads();
    int taskKeys = AttentionPanels.ceil(Math.max(MIN_TASK_KEYS, (keys + tasks - 1) / tasks), NR);
    int chunkPanels = Math.max(MIN_CHUNK_PANELS, CHUNK_FLOATS / (AttentionChunk.ARRAYS * width * NR));
    int shareSize = Math.multiplyExact(AttentionPanels.ceil(sizes.queries(), MR), width);
    return new AttentionPlan(width, taskKeys, chunkPanels * NR, (keys + taskKeys - 1) / taskKeys, shareSize);
  }

  /** One chunk has all keys, so that it finishes dq. */
  boolean isOneChunk(int keys) {
    return keys <= Math.min(taskKeys, chunkKeys);
  }
}
