package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UpsampleTest {
  /** A float sum of a few values. */
  private static final double TOLERANCE = 5e-7;

  @ParameterizedTest
  @CsvSource({"1,1,1,1,1,1", "2,3,5,7,6,10", "1,4,4,33,8,8", "2,3,5,4,7,8", "1,5,7,3,3,4", "1,8,8,100,15,17"})
  void forwardAndBackwardMatchTheDefinition(int samples, int height, int width, int channels, int outHeight,
      int outWidth) {
    float[] x = gaussian(1, samples * height * width * channels);
    float[] dy = gaussian(2, samples * outHeight * outWidth * channels);
    float[] y = new float[dy.length];
    float[] dx = gaussian(3, x.length); // overwritten
    Upsample.nearestForward(y, x, samples, height, width, channels, outHeight, outWidth);
    Upsample.nearestBackward(dx, dy, samples, height, width, channels, outHeight, outWidth);
    double[] expected = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      int pixel = i / channels;
      int row = pixel / outWidth % outHeight * height / outHeight;
      int column = pixel % outWidth * width / outWidth;
      int source = ((pixel / (outHeight * outWidth) * height + row) * width + column) * channels + i % channels;
      assertEquals(x[source], y[i]);
      expected[source] += dy[i];
    }
    assertClose("dx", expected, dx, TOLERANCE);
  }
}
