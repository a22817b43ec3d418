package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HalfFloatsTest {
  private static final int INFINITY_FP16 = 0x7C00;
  private static final int INFINITY_BF16 = 0x7F80;

  @Test
  void everyFp16DecodesToItsDefinition() {
    for (int bits = 0; bits <= 0xFFFF; bits++) {
      int exponent = bits >> 10 & 31;
      int fraction = bits & 1023;
      double magnitude = exponent == 0 ? fraction * 0x1p-24 : Math.scalb(1 + fraction / 1024.0, exponent - 15);
      float value = HalfFloats.fromFp16((short) bits);
      if (exponent == 31) {
        assertEquals(fraction == 0, Float.isInfinite(value));
        assertEquals(fraction != 0, Float.isNaN(value));
      } else {
        assertEquals((float) magnitude, Math.abs(value));
      }
      assertEquals(bits >> 15, Float.floatToRawIntBits(value) >>> 31, "sign");
    }
  }

  @Test
  void everyBf16DecodesToTheUpperHalfOfAFloat() {
    for (int bits = 0; bits <= 0xFFFF; bits++) {
      assertEquals(bits << 16, Float.floatToRawIntBits(HalfFloats.fromBf16((short) bits)));
    }
  }

  @Test
  void everyNumberSurvivesTheRoundTrip() {
    for (int bits = 0; bits <= 0xFFFF; bits++) {
      short half = (short) bits;
      boolean nanFp16 = (bits & 0x7FFF) > INFINITY_FP16;
      boolean nanBf16 = (bits & 0x7FFF) > INFINITY_BF16;
      assertEquals((short) (nanFp16 ? bits | 0x200 : bits), HalfFloats.toFp16(HalfFloats.fromFp16(half)));
      assertEquals((short) (nanBf16 ? bits | 0x40 : bits), HalfFloats.toBf16(HalfFloats.fromBf16(half)));
    }
  }

  @Test
  void tiesRoundToEvenAndNeighboursToTheNearest() {
    for (int sign = 0; sign <= 0x8000; sign += 0x8000) {
      for (int low = 0; low < INFINITY_FP16; low++) {
        float from = HalfFloats.fromFp16((short) (sign | low));
        // Above the largest number the next step of the grid would be 65536.
        boolean largest = low + 1 == INFINITY_FP16;
        float to = largest ? Math.copySign(65536f, from) : HalfFloats.fromFp16((short) (sign | low + 1));
        float middle = (from + to) / 2;
        assertEquals((short) (sign | low + (low & 1)), HalfFloats.toFp16(middle));
        assertEquals((short) (sign | low), HalfFloats.toFp16(towards(middle, from)));
        assertEquals((short) (sign | low + 1), HalfFloats.toFp16(towards(middle, to)));
      }
      for (int low = 0; low < INFINITY_BF16; low++) {
        int middle = (sign | low) << 16 | 0x8000;
        assertEquals((short) (sign | low + (low & 1)), HalfFloats.toBf16(Float.intBitsToFloat(middle)));
        assertEquals((short) (sign | low), HalfFloats.toBf16(Float.intBitsToFloat(middle - 1)));
        assertEquals((short) (sign | low + 1), HalfFloats.toBf16(Float.intBitsToFloat(middle + 1)));
      }
    }
  }

  @Test
  void extremesOverflowAndUnderflow() {
    assertEquals((short) INFINITY_FP16, HalfFloats.toFp16(Float.MAX_VALUE));
    assertEquals((short) (0x8000 | INFINITY_FP16), HalfFloats.toFp16(Float.NEGATIVE_INFINITY));
    assertEquals((short) 0x8000, HalfFloats.toFp16(-Float.MIN_VALUE));
    assertEquals((short) INFINITY_BF16, HalfFloats.toBf16(Float.MAX_VALUE));
    assertTrue(Float.isNaN(HalfFloats.fromFp16(HalfFloats.toFp16(Float.intBitsToFloat(0x7F800001)))));
    assertTrue(Float.isNaN(HalfFloats.fromBf16(HalfFloats.toBf16(Float.intBitsToFloat(0x7F800001)))));
  }

  @Test
  void arraysConvertLikeScalars() {
    float[] floats = {9, 1.5f, -0.1f, 70_000f};
    short[] halves = new short[5];
    float[] back = new float[6];
    HalfFloats.toFp16(halves, 2, floats, 1, 3);
    HalfFloats.fromFp16(back, 1, halves, 2, 3);
    for (int i = 0; i < 3; i++) {
      assertEquals(HalfFloats.fromFp16(HalfFloats.toFp16(floats[1 + i])), back[1 + i]);
    }
    HalfFloats.toBf16(halves, 2, floats, 1, 3);
    HalfFloats.fromBf16(back, 1, halves, 2, 3);
    for (int i = 0; i < 3; i++) {
      assertEquals(HalfFloats.fromBf16(HalfFloats.toBf16(floats[1 + i])), back[1 + i]);
    }
  }

  private static float towards(float value, float goal) {
    return Math.nextAfter(value, (double) goal);
  }
}
