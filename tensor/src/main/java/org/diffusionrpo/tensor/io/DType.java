package org.diffusionrpo.tensor.io;

/** The element types of the safetensors format, by the names of its headers, least aligned first. */
public enum DType {
  BOOL(8), F4(4), F6_E2M3(6), F6_E3M2(6), U8(8), I8(8),
  F8_E5M2(8), F8_E4M3(8), F8_E8M0(8), F8_E4M3FNUZ(8), F8_E5M2FNUZ(8),
  I16(16), U16(16), F16(16), BF16(16), I32(32), U32(32), F32(32), C64(64), F64(64), I64(64), U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** True for F16 and BF16. */
  public boolean isHalf() {
    return this == F16 || this == BF16;
  }

  /** True for the types that are read as and written from float[]: F32, F16, BF16. */
  public boolean isFloat() {
    return this == F32 || isHalf();
  }
}
