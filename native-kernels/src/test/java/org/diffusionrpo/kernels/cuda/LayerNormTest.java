package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerNormTest extends OnDevice {
  private static final float EPS = 1e-5f;
  private static final double TOLERANCE = 5e-6;
  /** Around a mean of 1000, values have four digits less. */
  private static final double OFFSET_TOLERANCE = 5e-4;

  private final LayerNorm norm = new LayerNorm(device);

  /** Rows shorter and longer than a warp's reach, several chunks of rows. */
  @ParameterizedTest
  @CsvSource({"1,3,0,false", "3,5,0,false", "31,33,0,false", "5,700,0,false", "130,64,0,true", "999,65,0,false",
      "1000,128,0,false", "4,1283,0,false", "7,320,1000,false", "7,321,1000,false"})
  void matchesTheCpu(int rows, int columns, float offset, boolean odd) {
    float[] x = gaussian(1, rows * columns);
    for (int i = 0; i < x.length; i++) {
      x[i] += offset;
    }
    float[] gamma = gaussian(2, columns);
    float[] beta = gaussian(3, columns);
    float[] y = new float[x.length];
    float[] mean = new float[rows];
    float[] rstd = new float[rows];
    double tolerance = offset == 0 ? TOLERANCE : OFFSET_TOLERANCE;
    org.diffusionrpo.kernels.cpu.LayerNorm.forward(y, mean, rstd, x, gamma, beta, rows, columns, EPS);
    DeviceBuffer values = upload(x, odd);
    DeviceBuffer scale = upload(gamma);
    DeviceBuffer result = empty(x.length);
    DeviceBuffer means = empty(rows);
    DeviceBuffer rstds = empty(rows);
    norm.forward(result, means, rstds, values, scale, upload(beta), rows, columns, EPS);
    assertClose("y", y, read(result, x.length), tolerance);
    assertClose("mean", mean, read(means, rows), TOLERANCE);
    assertClose("rstd", rstd, read(rstds, rows), tolerance);

    float[] dy = gaussian(4, x.length);
    float[] dx = new float[x.length];
    float[] dGamma = gaussian(5, columns);
    float[] dBeta = gaussian(6, columns);
    DeviceBuffer gradient = upload(dy, odd);
    DeviceBuffer gammas = upload(dGamma);
    DeviceBuffer betas = upload(dBeta);
    norm.backward(gradient, gammas, betas, gradient, values, scale, means, rstds, rows, columns); // in place
    org.diffusionrpo.kernels.cpu.LayerNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, rows, columns);
    assertClose("dx", dx, read(gradient, x.length), tolerance);
    assertClose("dGamma", dGamma, read(gammas, columns), tolerance);
    assertClose("dBeta", dBeta, read(betas, columns), TOLERANCE);
  }

  /** dx is zero but for rounding, which leaves nothing to compare. */
  @Test
  void aSingleColumnBecomesItsBeta() {
    DeviceBuffer x = upload(5, -3);
    DeviceBuffer y = empty(2);
    DeviceBuffer mean = empty(2);
    DeviceBuffer rstd = empty(2);
    norm.forward(y, mean, rstd, x, upload(2), upload(0.5f), 2, 1, EPS);
    assertArrayEquals(new float[] {0.5f, 0.5f}, read(y, 2));
    assertArrayEquals(new float[] {5, -3}, read(mean, 2));
    norm.backward(y, null, null, upload(1, 1), x, upload(2), mean, rstd, 2, 1);
    assertArrayEquals(new float[2], read(y, 2), 1e-3f);
  }

  @Test
  void writesOverItsInput() {
    float[] x = gaussian(1, 40 * 65);
    float[] y = new float[x.length];
    float[] gamma = gaussian(2, 65);
    org.diffusionrpo.kernels.cpu.LayerNorm.forward(y, new float[40], new float[40], x, gamma, gamma, 40, 65, EPS);
    DeviceBuffer values = upload(x);
    norm.forward(values, empty(40), empty(40), values, upload(gamma), upload(gamma), 40, 65, EPS);
    assertClose("y", y, read(values, x.length), TOLERANCE);
  }

  @Test
  void frozenParametersChangeNothingElse() {
    int rows = 200;
    int columns = 36;
    DeviceBuffer x = upload(gaussian(1, rows * columns));
    DeviceBuffer gamma = upload(gaussian(2, columns));
    DeviceBuffer mean = upload(gaussian(3, rows));
    DeviceBuffer rstd = upload(gaussian(4, rows));
    DeviceBuffer dy = upload(gaussian(5, rows * columns));
    DeviceBuffer dx = empty(rows * columns);
    DeviceBuffer dGamma = upload(new float[columns]);
    DeviceBuffer dBeta = upload(new float[columns]);
    norm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, rows, columns);
    float[] expected = read(dx, rows * columns);
    DeviceBuffer alone = upload(new float[columns]);
    norm.backward(dx, alone, null, dy, x, gamma, mean, rstd, rows, columns);
    assertArrayEquals(read(dGamma, columns), read(alone, columns));
    alone = upload(new float[columns]);
    norm.backward(dx, null, alone, dy, x, gamma, mean, rstd, rows, columns);
    assertArrayEquals(read(dBeta, columns), read(alone, columns));
    norm.backward(dx, null, null, dy, x, gamma, mean, rstd, rows, columns);
    assertArrayEquals(expected, read(dx, rows * columns));
  }

  @Test
  void resultsNeverChangeBits() {
    int rows = 700;
    int columns = 40;
    DeviceBuffer x = upload(gaussian(1, rows * columns));
    DeviceBuffer gamma = upload(gaussian(2, columns));
    DeviceBuffer statistics = upload(gaussian(3, rows));
    assertReproducible(() -> {
      DeviceBuffer dGamma = upload(new float[columns]);
      norm.backward(empty(rows * columns), dGamma, null, x, x, gamma, statistics, statistics, rows, columns);
      return read(dGamma, columns);
    });
  }
}
