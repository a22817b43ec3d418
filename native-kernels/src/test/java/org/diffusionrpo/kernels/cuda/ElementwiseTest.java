package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ElementwiseTest extends OnDevice {
  /** Float sums over chunks, compared with float sums over other chunks. */
  private static final double TOLERANCE = 2e-6;

  private final Elementwise elementwise = new Elementwise(device);

  @ParameterizedTest
  @CsvSource({"0,false", "1,false", "3,false", "4,false", "5,false", "1023,false", "1024,true", "7,true",
      "70001,false"})
  void arithmeticHasTheBitsOfTheCpu(int n, boolean odd) {
    float[] a = gaussian(1, n);
    float[] b = gaussian(2, n);
    float[] expected = new float[n];
    DeviceBuffer x = upload(a, odd);
    DeviceBuffer other = upload(b, false);
    DeviceBuffer y = empty(n);

    elementwise.add(y, x, other, n);
    org.diffusionrpo.kernels.cpu.Elementwise.add(expected, a, b, n);
    assertArrayEquals(expected, read(y, n));

    elementwise.scale(y, x, -2.5f, n);
    org.diffusionrpo.kernels.cpu.Elementwise.scale(expected, a, -2.5f, n);
    assertArrayEquals(expected, read(y, n));

    elementwise.fill(y, 7, n);
    Arrays.fill(expected, 7);
    assertArrayEquals(expected, read(y, n));

    elementwise.addTo(x, other, n);
    org.diffusionrpo.kernels.cpu.Elementwise.addTo(a, b, n);
    assertArrayEquals(a, read(x, n));

    elementwise.axpy(x, 0.3f, other, n);
    org.diffusionrpo.kernels.cpu.Elementwise.axpy(a, 0.3f, b, n);
    assertArrayEquals(a, read(x, n));

    elementwise.lerp(x, other, 0.01f, n);
    org.diffusionrpo.kernels.cpu.Elementwise.lerp(a, b, 0.01f, n);
    assertArrayEquals(a, read(x, n));
  }

  @Test
  void aGridSmallerThanTheDataGoesRoundAgain() {
    int n = 16_384 * 256 * 4 + 5;
    DeviceBuffer x = empty(n);
    elementwise.fill(x, 3, n);
    elementwise.scale(x, x, 2, n);
    float[] expected = new float[n];
    Arrays.fill(expected, 6);
    assertArrayEquals(expected, read(x, n));
  }

  @Test
  void elementsBeyondNStayUntouched() {
    float[] before = gaussian(1, 40);
    DeviceBuffer y = upload(before);
    elementwise.scale(y, y, 3, 19);
    float[] after = read(y, 40);
    assertEquals(3 * before[18], after[18]);
    assertArrayEquals(Arrays.copyOfRange(before, 19, 40), Arrays.copyOfRange(after, 19, 40));
  }

  /** From one row and column to several chunks of rows and tiles of columns. */
  @ParameterizedTest
  @CsvSource({"1,1,1,false", "2,3,5,false", "3,100,17,true", "2,1500,70,false", "1,5000,4,false", "2,7,1280,false",
      "3,45,64,true", "1,20001,3,false"})
  void broadcastsAndTheirSumsMatchTheCpu(int samples, int positions, int channels, boolean odd) {
    float[] x = gaussian(1, samples * positions * channels);
    float[] v = gaussian(2, samples * channels);
    DeviceBuffer data = upload(x, odd);
    DeviceBuffer vector = upload(v, odd);
    DeviceBuffer y = empty(x.length, odd);
    float[] expected = new float[x.length];

    elementwise.addPerSample(y, data, vector, samples, positions, channels);
    org.diffusionrpo.kernels.cpu.Elementwise.addPerSample(expected, x, v, samples, positions, channels);
    assertArrayEquals(expected, read(y, x.length));
    elementwise.addBroadcast(data, data, vector, samples * positions, channels); // in place
    org.diffusionrpo.kernels.cpu.Elementwise.addBroadcast(x, x, v, samples * positions, channels);
    assertArrayEquals(x, read(data, x.length));

    elementwise.sumPositions(vector, data, samples, positions, channels);
    org.diffusionrpo.kernels.cpu.Elementwise.sumPositions(v, x, samples, positions, channels);
    assertClose("per sample", v, read(vector, v.length), TOLERANCE);
    elementwise.sumRows(vector, data, samples * positions, channels);
    org.diffusionrpo.kernels.cpu.Elementwise.sumRows(v, x, samples * positions, channels);
    assertClose("overall", v, read(vector, v.length), TOLERANCE);
    elementwise.sumRows(null, data, samples * positions, channels);
  }

  @Test
  void aSampleHasTheSameSumsInEveryBatch() {
    int positions = 300;
    int channels = 70;
    float[] dy = gaussian(1, 3 * positions * channels);
    DeviceBuffer batch = upload(dy);
    DeviceBuffer all = upload(new float[3 * channels]);
    elementwise.sumPositions(all, batch, 3, positions, channels);
    DeviceBuffer one = upload(new float[channels]);
    elementwise.sumPositions(one, batch.at(4L * 2 * positions * channels), 1, positions, channels);
    assertArrayEquals(Arrays.copyOfRange(read(all, 3 * channels), 2 * channels, 3 * channels), read(one, channels));
  }

  @ParameterizedTest
  @CsvSource({"50,7,33,false", "50,8,32,false", "50,8,32,true", "1,3,5,false", "1,4096,8192,false", "3,1,1,false",
      "4,4,5,false"})
  void splitUndoesConcat(int outer, int innerA, int innerB, boolean odd) {
    float[] a = gaussian(1, outer * innerA);
    float[] b = gaussian(2, outer * innerB);
    float[] expected = new float[a.length + b.length];
    DeviceBuffer y = empty(expected.length, odd);
    elementwise.concat(y, upload(a), upload(b), outer, innerA, innerB);
    org.diffusionrpo.kernels.cpu.Elementwise.concat(expected, a, b, outer, innerA, innerB);
    assertArrayEquals(expected, read(y, expected.length));
    DeviceBuffer a2 = empty(a.length);
    DeviceBuffer b2 = empty(b.length);
    elementwise.split(a2, null, y, outer, innerA, innerB);
    elementwise.split(null, b2, y, outer, innerA, innerB);
    assertArrayEquals(a, read(a2, a.length));
    assertArrayEquals(b, read(b2, b.length));
  }

  @Test
  void resultsNeverChangeBits() {
    DeviceBuffer x = upload(gaussian(1, 1000 * 41));
    assertReproducible(() -> {
      DeviceBuffer dv = upload(gaussian(2, 41));
      elementwise.sumRows(dv, x, 1000, 41);
      return read(dv, 41);
    });
  }
}
