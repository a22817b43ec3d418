package org.diffusionrpo.kernels.cuda;

/**
 * The number format of matrix products, convolutions and attention. Their operands are fp32 in memory and are rounded
 * as they are read; sums are fp32 always. Everything else (norms, softmax, losses, optimizers) is fp32 in every mode.
 */
public enum Precision {
  /** Exact fp32 products. */
  FP32,
  /** fp32 operands whose products round to 10 mantissa bits, on Ampere and newer; attention stays fp32. */
  TF32,
  /** 8 mantissa bits, the exponents of fp32; Ampere and newer. */
  BF16,
  /**
   * 11 mantissa bits. Operands of products and convolutions, and the gradient in attention, are scaled by powers of two
   * of their own, so that nothing overflows or vanishes.
   */
  FP16;

  /** Whether operands are copied to 16 bits. */
  boolean isHalf() {
    return this == BF16 || this == FP16;
  }
}
