package org.diffusionrpo.tensor;

/**
 * How a buffer stores its numbers. Layers compute in {@link #F32} and never ask; the two half formats only hold
 * frozen weights, which kernels widen while they read them.
 */
public enum Storage {
  F32(4),
  BF16(2),
  F16(2);

  private final int bytes;

  Storage(int bytes) {
    this.bytes = bytes;
  }

  public int bytes() {
    return bytes;
  }
}
