package org.diffusionrpo.tensor.cpu;

import org.diffusionrpo.kernels.cpu.Weights;
import org.diffusionrpo.tensor.Buffer;
import org.diffusionrpo.tensor.Storage;

/** A Java array: floats, or the bits of half floats for frozen weights. */
final class CpuBuffer extends Buffer {
  private final CpuBackend owner;
  private float[] floats;
  private short[] halves;

  CpuBuffer(CpuBackend backend, float[] floats) {
    super(backend, floats.length, Storage.F32);
    this.owner = backend;
    this.floats = floats;
  }

  CpuBuffer(CpuBackend backend, short[] halves, Storage storage) {
    super(backend, halves.length, storage);
    this.owner = backend;
    this.halves = halves;
  }

  float[] floats() {
    if (floats == null) {
      throw new IllegalArgumentException(storage() + " storage is for frozen weights of linear layers and "
          + "convolutions; this operation needs F32");
    }
    return floats;
  }

  /** As an operand that kernels widen while they pack it. */
  Weights weights() {
    return switch (storage()) {
      case F32 -> Weights.of(floats);
      case BF16 -> Weights.bf16(halves);
      case F16 -> Weights.fp16(halves);
    };
  }

  short[] halves() {
    return halves;
  }

  @Override
  protected void recycle() {
    if (floats != null) {
      owner.pool().give(floats);
    }
    floats = null;
    halves = null;
  }
}
