package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReduceTest extends OnDevice {
  /** Sums in double on both sides. */
  private static final double TOLERANCE = 1e-12;

  private final Reduce reduce = new Reduce(device);

  @ParameterizedTest
  @CsvSource({"1,false", "3,false", "4,false", "4096,false", "4097,true", "200003,false"})
  void sumOfSquaresMatchesTheCpu(int n, boolean odd) {
    float[] x = gaussian(1, n);
    double expected = org.diffusionrpo.kernels.cpu.Reduce.sumOfSquares(x, n);
    assertEquals(expected, reduce.sumOfSquares(upload(x, odd), n), TOLERANCE * expected);
  }

  @Test
  void sumOfSquaresOfAListIsThatOfItsParts() {
    int[] sizes = {1, 4096, 5000, 0, 70_001};
    DeviceBuffer[] xs = new DeviceBuffer[sizes.length];
    long[] counts = new long[sizes.length];
    double expected = 0;
    for (int i = 0; i < sizes.length; i++) {
      float[] x = gaussian(i, sizes[i]);
      xs[i] = upload(x);
      counts[i] = sizes[i];
      expected += org.diffusionrpo.kernels.cpu.Reduce.sumOfSquares(x, sizes[i]);
    }
    double sum = reduce.sumOfSquares(List.of(xs), counts);
    assertEquals(expected, sum, TOLERANCE * expected);
    assertEquals(sum, reduce.sumOfSquares(List.of(xs), counts));
    assertEquals(0, reduce.sumOfSquares(List.of(), new long[0]));
  }

  /** In float, each of these would be infinite or zero. */
  @Test
  void squaresBeyondTheRangeOfFloatsCount() {
    assertEquals(5e60, reduce.sumOfSquares(upload(1e30f, 2e30f), 2), 1e54);
    assertEquals(2e-60, reduce.sumOfSquares(upload(1e-30f, 1e-30f), 2), 1e-66);
  }

  @Test
  void sumOfSquaresShowsWhatIsNotFinite() {
    float[] x = gaussian(1, 10_000);
    x[5001] = Float.NEGATIVE_INFINITY;
    assertEquals(Double.POSITIVE_INFINITY, reduce.sumOfSquares(upload(x), x.length));
    x[9999] = Float.NaN;
    assertEquals(Double.NaN, reduce.sumOfSquares(upload(x), x.length));
  }

  @ParameterizedTest
  @CsvSource({"1,1,false", "3,7,false", "2,16384,false", "3,70001,false", "5,64,true"})
  void squaredErrorsMatchTheCpu(int samples, int columns, boolean odd) {
    float[] a = gaussian(1, samples * columns);
    float[] b = gaussian(2, samples * columns);
    float[] weight = gaussian(3, samples);
    double[] expected = new double[samples];
    double[] errors = new double[samples];
    DeviceBuffer left = upload(a, odd);
    DeviceBuffer right = upload(b, odd);
    reduce.squaredErrorPerSample(errors, left, right, samples, columns);
    org.diffusionrpo.kernels.cpu.Reduce.squaredErrorPerSample(expected, a, b, samples, columns);
    assertArrayEquals(expected, errors, TOLERANCE * 10);

    float[] da = new float[a.length];
    reduce.squaredErrorBackward(left, left, right, weight, samples, columns); // in place
    org.diffusionrpo.kernels.cpu.Reduce.squaredErrorBackward(da, a, b, weight, samples, columns);
    assertArrayEquals(da, read(left, a.length));
  }
}
