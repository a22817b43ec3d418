package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertTest extends OnDevice {
  private final Convert convert = new Convert(device);

  /** Values of all magnitudes, halfway cases of both formats, and what is not finite. */
  private static float[] hardValues() {
    float[] special = {0, -0f, 1, -1, 65504, 65519.996f, 65520, -65520, 1e38f, 3.4e38f, Float.MIN_VALUE, 6e-8f, 2.9e-8f,
        2.98023224e-8f, 6.1e-5f, 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1p-11f, 1 + 0x3p-11f, Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY, Float.NaN, Float.intBitsToFloat(0x7f800001), Float.intBitsToFloat(0xffffffff)};
    float[] values = gaussian(1, 5003);
    for (int i = 0; i < values.length; i++) {
      values[i] = i < special.length ? special[i] : values[i] * (float) Math.pow(2, i % 60 - 30);
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void roundsAsTheCpuDoes(boolean odd) {
    float[] x = hardValues();
    short[] bf16 = new short[x.length];
    short[] fp16 = new short[x.length];
    HalfFloats.toBf16(bf16, 0, x, 0, x.length);
    HalfFloats.toFp16(fp16, 0, x, 0, x.length);
    DeviceBuffer values = upload(x, odd);
    DeviceBuffer y = upload(new short[x.length], odd);

    convert.toBf16(y, values, x.length);
    short[] result = readHalves(y, x.length);
    for (int i = 0; i < x.length; i++) {
      assertEquals(HalfFloats.fromBf16(bf16[i]), HalfFloats.fromBf16(result[i]), "bf16 of " + x[i]);
    }
    convert.toF16(y, values, x.length);
    result = readHalves(y, x.length);
    for (int i = 0; i < x.length; i++) {
      assertEquals(HalfFloats.fromFp16(fp16[i]), HalfFloats.fromFp16(result[i]), "fp16 of " + x[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void widensEveryPattern(boolean odd) {
    int n = 1 << 16;
    short[] patterns = new short[n];
    for (int i = 0; i < n; i++) {
      patterns[i] = (short) i;
    }
    float[] bf16 = new float[n];
    float[] fp16 = new float[n];
    HalfFloats.fromBf16(bf16, 0, patterns, 0, n);
    HalfFloats.fromFp16(fp16, 0, patterns, 0, n);
    DeviceBuffer x = upload(patterns, odd);
    DeviceBuffer y = empty(n);
    convert.fromBf16(y, x, n);
    assertArrayEquals(bf16, read(y, n));
    convert.fromF16(y, x, n);
    assertArrayEquals(fp16, read(y, n));
  }

  @ParameterizedTest
  @CsvSource({"1,false", "3,false", "4,true", "100003,false"})
  void theScaleIsThatOfTheLargestMagnitude(int n, boolean odd) {
    float[] x = gaussian(1, n);
    DeviceBuffer scale = empty(1);
    for (int at : new int[] {n - 1, n / 2, 0}) {
      x[at] = at % 2 == 0 ? -0x1p20f : 0x1p20f;
      convert.scaleOf(scale, upload(x, odd), n);
      assertEquals(0x1p-21f, read(scale, 1)[0]);
      x[at] = 0;
    }
  }

  @ParameterizedTest
  @CsvSource({"0,1", "-0.0,1", "NaN,1", "Infinity,1", "-Infinity,1", "0.5,1", "0.99,1", "1,0.5", "-1,0.5", "1.99,0.5",
      "2,0.25", "65504,0x1p-16", "0x1p125,0x1p-126", "0x1p127,0x1p-126", "0x1p-126,0x1p125", "0x1p-127,0x1p126",
      "1e-45,0x1p126"})
  void theScaleIsAPowerOfTwo(String value, String expected) {
    DeviceBuffer scale = empty(1);
    convert.scaleOf(scale, upload(0, Float.parseFloat(value), 0), 3);
    assertEquals(Float.parseFloat(expected), read(scale, 1)[0]);
  }

  @Test
  void scaledValuesKeepTheirDigits() {
    int n = 1001;
    for (float magnitude : new float[] {1e-20f, 1, 1e20f}) {
      float[] x = gaussian(1, n);
      for (int i = 0; i < n; i++) {
        x[i] *= magnitude;
      }
      DeviceBuffer values = upload(x);
      DeviceBuffer scale = empty(1);
      DeviceBuffer half = upload(new short[n], false);
      DeviceBuffer back = empty(n);
      convert.scaleOf(scale, values, n);
      convert.toF16(half, values, scale, n);
      convert.fromF16(back, half, scale, upload(1), n);
      assertClose("around " + magnitude, x, read(back, n), 0x1p-11);
    }
  }

  /** The product of the scales may leave the range of floats where the quotient does not. */
  @Test
  void bothScalesAreDividedOut() {
    float[] scales = {0x1p-126f, 0x1p-3f, 1, 0x1p100f, 0x1p126f};
    float[] x = {1, -3, 0x1p-14f, 0x1p15f};
    short[] halves = new short[x.length];
    HalfFloats.toFp16(halves, 0, x, 0, x.length);
    for (float a : scales) {
      for (float b : scales) {
        float[] expected = new float[x.length];
        for (int i = 0; i < x.length; i++) {
          expected[i] = x[i] * (float) (1 / ((double) a * b));
        }
        DeviceBuffer y = empty(x.length);
        convert.fromF16(y, upload(halves, false), upload(a), upload(b), x.length);
        assertArrayEquals(expected, read(y, x.length), a + " and " + b);
      }
    }
  }
}
