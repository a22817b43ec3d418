package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Group norm and layer norm. */
final class NormCases {
  private static final float EPS = 1e-5f;

  /** Last: groups. The third has one channel in each group, the fourth a span of several tiles. */
  private static final int[][] GROUPED = {
      {1, 1, 1, 3, 1}, {2, 3, 5, 12, 4}, {3, 2, 2, 7, 7}, {2, 19, 23, 66, 3}, {1, 5, 1, 34, 2}, {2, 3, 3, 31, 1},
      {2, 37, 41, 64, 32}};

  /** Rows by columns; the first axis is two axes for the operation. */
  private static final int[][] ROWS = {{1, 3}, {3, 7}, {7, 17}, {31, 33}, {130, 63}, {5, 700}, {999, 65}};

  private final List<OpCase> cases = new ArrayList<>();

  static List<OpCase> all() {
    NormCases all = new NormCases();
    for (int[] size : GROUPED) {
      int[] x = Arrays.copyOf(size, 4);
      all.groupNorm(x, size[4], 0);
      all.groupNorm(x, size[4], 20);
      all.groupNormSilu(x, size[4]);
    }
    for (int[] size : ROWS) {
      all.layerNorm(new int[] {2, size[0], size[1]}, 0);
      all.layerNorm(new int[] {size[0], size[1]}, 20);
    }
    return all.cases;
  }

  private void groupNorm(int[] dims, int groups, float offset) {
    int channels = dims[3];
    String size = Arrays.toString(dims) + " in " + groups + " groups around " + offset;
    add("groupNormForward", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(dims));
      Tensor mean = b.empty(Shape.of(dims[0], groups));
      Tensor rstd = b.empty(mean.shape());
      b.groupNormForward(y, mean, rstd, input(b, offset, dims), gaussian(b, 2, channels), gaussian(b, 3, channels),
          groups, EPS);
      out.add("y", y);
      out.add("mean", mean);
      out.add("rstd", rstd);
    });
    for (boolean frozen : new boolean[] {false, true}) {
      add("groupNormBackward", size + (frozen ? " frozen" : ""), (b, out) -> {
        Tensor x = input(b, offset, dims);
        Tensor gamma = gaussian(b, 2, channels);
        Tensor mean = b.empty(Shape.of(dims[0], groups));
        Tensor rstd = b.empty(mean.shape());
        b.groupNormForward(b.empty(x.shape()), mean, rstd, x, gamma, gamma, groups, EPS);
        Tensor dx = b.empty(x.shape());
        Tensor dGamma = frozen ? null : gaussian(b, 4, channels);
        Tensor dBeta = frozen ? null : gaussian(b, 5, channels);
        b.groupNormBackward(dx, dGamma, dBeta, gaussian(b, 6, dims), x, gamma, mean, rstd, groups);
        report(out, dx, dGamma, dBeta);
      });
    }
  }

  private void groupNormSilu(int[] dims, int groups) {
    int channels = dims[3];
    String size = Arrays.toString(dims) + " in " + groups + " groups";
    add("groupNormSiluForward", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(dims));
      Tensor mean = b.empty(Shape.of(dims[0], groups));
      Tensor rstd = b.empty(mean.shape());
      b.groupNormSiluForward(y, mean, rstd, gaussian(b, 1, dims), gaussian(b, 2, channels), gaussian(b, 3, channels),
          groups, EPS);
      out.add("y", y);
      out.add("mean", mean);
      out.add("rstd", rstd);
    });
    for (boolean frozen : new boolean[] {false, true}) {
      add("groupNormSiluBackward", size + (frozen ? " frozen" : ""), (b, out) -> {
        Tensor x = gaussian(b, 1, dims);
        Tensor gamma = gaussian(b, 2, channels);
        Tensor beta = gaussian(b, 3, channels);
        Tensor mean = b.empty(Shape.of(dims[0], groups));
        Tensor rstd = b.empty(mean.shape());
        b.groupNormSiluForward(b.empty(x.shape()), mean, rstd, x, gamma, beta, groups, EPS);
        Tensor dx = b.empty(x.shape());
        Tensor dGamma = frozen ? null : gaussian(b, 4, channels);
        Tensor dBeta = frozen ? null : gaussian(b, 5, channels);
        b.groupNormSiluBackward(dx, dGamma, dBeta, gaussian(b, 6, dims), x, gamma, beta, mean, rstd, groups);
        report(out, dx, dGamma, dBeta);
      });
    }
  }

  private void layerNorm(int[] dims, float offset) {
    int columns = dims[dims.length - 1];
    String size = Arrays.toString(dims) + " around " + offset;
    add("layerNormForward", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(dims));
      Tensor mean = b.empty(Shape.of(y.shape().sizeBefore(-1)));
      Tensor rstd = b.empty(mean.shape());
      b.layerNormForward(y, mean, rstd, input(b, offset, dims), gaussian(b, 2, columns), gaussian(b, 3, columns), EPS);
      out.add("y", y);
      out.add("mean", mean);
      out.add("rstd", rstd);
    });
    for (boolean frozen : new boolean[] {false, true}) {
      add("layerNormBackward", size + (frozen ? " frozen" : ""), (b, out) -> {
        Tensor x = input(b, offset, dims);
        Tensor gamma = gaussian(b, 2, columns);
        Tensor mean = b.empty(Shape.of(x.shape().sizeBefore(-1)));
        Tensor rstd = b.empty(mean.shape());
        b.layerNormForward(b.empty(x.shape()), mean, rstd, x, gamma, gamma, EPS);
        Tensor dx = b.empty(x.shape());
        Tensor dGamma = frozen ? null : gaussian(b, 4, columns);
        Tensor dBeta = frozen ? null : gaussian(b, 5, columns);
        b.layerNormBackward(dx, dGamma, dBeta, gaussian(b, 6, dims), x, gamma, mean, rstd);
        report(out, dx, dGamma, dBeta);
      });
    }
  }

  private static Tensor input(Backend b, float offset, int... dims) {
    Tensor x = gaussian(b, 1, dims);
    Tensor shift = b.empty(x.shape());
    b.fill(shift, offset);
    b.addTo(x, shift);
    return x;
  }

  private static void report(OpCase.Results out, Tensor dx, Tensor dGamma, Tensor dBeta) {
    out.add("dx", dx);
    if (dGamma != null) {
      out.add("dGamma", dGamma);
      out.add("dBeta", dBeta);
    }
  }

  private void add(String op, String detail, OpCase.Body body) {
    cases.add(new OpCase(op, detail, body));
  }
}
