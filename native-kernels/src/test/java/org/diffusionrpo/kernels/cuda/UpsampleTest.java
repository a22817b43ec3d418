package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UpsampleTest extends OnDevice {
  private final Upsample upsample = new Upsample(device);

  /** Up, down, by integers and not; the sums run in the order of the CPU. */
  @ParameterizedTest
  @CsvSource({"1,1,1,1,1,1,false", "2,3,5,7,6,10,false", "1,4,4,32,8,8,false", "1,4,4,32,8,8,true",
      "2,3,5,4,7,8,false", "1,5,7,3,3,4,false", "1,8,8,100,15,17,false", "3,2,70,8,4,140,false"})
  void hasTheBitsOfTheCpu(int samples, int height, int width, int channels, int outHeight, int outWidth, boolean odd) {
    float[] x = gaussian(1, samples * height * width * channels);
    float[] y = new float[samples * outHeight * outWidth * channels];
    DeviceBuffer large = empty(y.length, odd);
    upsample.nearestForward(large, upload(x), samples, height, width, channels, outHeight, outWidth);
    org.diffusionrpo.kernels.cpu.Upsample.nearestForward(y, x, samples, height, width, channels, outHeight, outWidth);
    assertArrayEquals(y, read(large, y.length));

    float[] dy = gaussian(2, y.length);
    float[] dx = new float[x.length];
    DeviceBuffer small = empty(x.length);
    upsample.nearestBackward(small, upload(dy, odd), samples, height, width, channels, outHeight, outWidth);
    org.diffusionrpo.kernels.cpu.Upsample.nearestBackward(dx, dy, samples, height, width, channels, outHeight,
        outWidth);
    assertArrayEquals(dx, read(small, x.length));
  }
}
