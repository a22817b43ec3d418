package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;

/** Linear layers and convolutions, with weights of every storage. */
final class LinearCases {
  /** rows, in, out. */
  private static final int[][] LINEAR = {
      {1, 1, 1}, {3, 7, 5}, {17, 33, 31}, {31, 15, 64}, {65, 130, 47}, {5, 300, 3},
      {190, 300, 130}};

  private static final List<Convolution> CONVOLUTIONS = List.of(
      convolution(Conv2dGeometry.of(1, 1), new int[] {2, 5, 7, 3}, 4, 3, 3),
      convolution(Conv2dGeometry.of(1, 1), new int[] {1, 1, 1, 5}, 7, 3, 3),
      convolution(Conv2dGeometry.of(1, 1), new int[] {1, 9, 11, 17}, 33, 3, 3),
      convolution(Conv2dGeometry.of(1, 0), new int[] {3, 5, 3, 31}, 15, 1, 1),
      convolution(Conv2dGeometry.of(2, 0), new int[] {1, 5, 4, 3}, 2, 1, 1),
      convolution(Conv2dGeometry.of(2, 1), new int[] {2, 7, 9, 5}, 6, 3, 3),
      convolution(Conv2dGeometry.of(2, 1), new int[] {1, 8, 6, 4}, 5, 3, 3),
      convolution(new Conv2dGeometry(2, 0, 0, 1, 1), new int[] {2, 8, 7, 3}, 5, 3, 3),
      convolution(new Conv2dGeometry(1, 2, 1, 0, 3), new int[] {1, 4, 5, 3}, 7, 3, 2),
      convolution(Conv2dGeometry.of(3, 0), new int[] {2, 9, 6, 3}, 17, 3, 3),
      convolution(Conv2dGeometry.of(1, 1), new int[] {2, 13, 15, 40}, 70, 3, 3));

  private final List<OpCase> cases = new ArrayList<>();

  static List<OpCase> all() {
    LinearCases all = new LinearCases();
    for (int[] size : LINEAR) {
      all.linear(size[0], size[1], size[2]);
    }
    all.linearOnTokens();
    for (Convolution convolution : CONVOLUTIONS) {
      all.convolution(convolution);
    }
    return all.cases;
  }

  private void linear(int rows, int in, int out) {
    String size = rows + " rows " + in + " -> " + out;
    for (Storage storage : Storage.values()) {
      add("linearForward", size + " " + storage, (b, results) -> {
        Tensor y = b.empty(Shape.of(rows, out));
        b.linearForward(y, gaussian(b, 1, rows, in), gaussian(b, 2, storage, out, in), gaussian(b, 3, out));
        results.add("y", y);
      });
      add("linearBackwardData", size + " " + storage, (b, results) -> {
        Tensor dx = b.empty(Shape.of(rows, in));
        b.linearBackwardData(dx, gaussian(b, 1, rows, out), gaussian(b, 2, storage, out, in));
        results.add("dx", dx);
      });
    }
    add("linearForward", size + " without bias", (b, results) -> {
      Tensor y = b.empty(Shape.of(rows, out));
      b.linearForward(y, gaussian(b, 1, rows, in), gaussian(b, 2, out, in), null);
      results.add("y", y);
    });
    for (Wanted wanted : Wanted.values()) {
      add("linearBackwardWeight", size + " " + wanted, (b, results) -> {
        Tensor dWeight = wanted.weight(b, out, in);
        Tensor dBias = wanted.bias(b, out);
        b.linearBackwardWeight(dWeight, dBias, gaussian(b, 3, rows, out), gaussian(b, 4, rows, in));
        wanted.report(results, dWeight, dBias);
      });
    }
  }

  private void linearOnTokens() {
    add("linearForward", "[3, 5, 7] -> 9", (b, results) -> {
      Tensor y = b.empty(Shape.of(3, 5, 9));
      b.linearForward(y, gaussian(b, 1, 3, 5, 7), gaussian(b, 2, 9, 7), gaussian(b, 3, 9));
      results.add("y", y);
    });
    add("linearBackwardWeight", "[3, 5, 7] -> 9", (b, results) -> {
      Tensor dWeight = gaussian(b, 1, 9, 7);
      Tensor dBias = gaussian(b, 2, 9);
      b.linearBackwardWeight(dWeight, dBias, gaussian(b, 3, 3, 5, 9), gaussian(b, 4, 3, 5, 7));
      results.add("dWeight", dWeight);
      results.add("dBias", dBias);
    });
  }

  private record Convolution(Conv2dGeometry geometry, int[] x, int[] weight, int[] y) {
    @Override
    public String toString() {
      return Arrays.toString(x) + " * " + Arrays.toString(weight) + " " + geometry;
    }
  }

  private static Convolution convolution(Conv2dGeometry geometry, int[] x, int out, int kernelHeight,
      int kernelWidth) {
    int[] y = {x[0], geometry.outHeight(x[1], kernelHeight), geometry.outWidth(x[2], kernelWidth), out};
    return new Convolution(geometry, x, new int[] {out, kernelHeight, kernelWidth, x[3]}, y);
  }

  private void convolution(Convolution c) {
    int out = c.y[3];
    for (Storage storage : Storage.values()) {
      add("conv2dForward", c + " " + storage, (b, results) -> {
        Tensor y = b.empty(Shape.of(c.y));
        b.conv2dForward(y, gaussian(b, 1, c.x), gaussian(b, 2, storage, c.weight), gaussian(b, 3, out), c.geometry);
        results.add("y", y);
      });
      add("conv2dBackwardData", c + " " + storage, (b, results) -> {
        Tensor dx = b.empty(Shape.of(c.x));
        b.conv2dBackwardData(dx, gaussian(b, 1, c.y), gaussian(b, 2, storage, c.weight), c.geometry);
        results.add("dx", dx);
      });
    }
    add("conv2dForward", c + " without bias", (b, results) -> {
      Tensor y = b.empty(Shape.of(c.y));
      b.conv2dForward(y, gaussian(b, 1, c.x), gaussian(b, 2, c.weight), null, c.geometry);
      results.add("y", y);
    });
    for (Wanted wanted : Wanted.values()) {
      add("conv2dBackwardWeight", c + " " + wanted, (b, results) -> {
        Tensor dWeight = wanted.weight(b, c.weight);
        Tensor dBias = wanted.bias(b, out);
        b.conv2dBackwardWeight(dWeight, dBias, gaussian(b, 3, c.y), gaussian(b, 4, c.x), c.geometry);
        wanted.report(results, dWeight, dBias);
      });
    }
  }

  /** Which gradients are wanted; those that are start with values that must stay in the sum. */
  private enum Wanted {
    BOTH, WEIGHT, BIAS, NEITHER;

    Tensor weight(Backend b, int... dims) {
      return this == BOTH || this == WEIGHT ? gaussian(b, 1, dims) : null;
    }

    Tensor bias(Backend b, int out) {
      return this == BOTH || this == BIAS ? gaussian(b, 2, out) : null;
    }

    void report(OpCase.Results results, Tensor dWeight, Tensor dBias) {
      if (dWeight != null) {
        results.add("dWeight", dWeight);
      }
      if (dBias != null) {
        results.add("dBias", dBias);
      }
    }
  }

  private void add(String op, String detail, OpCase.Body body) {
    cases.add(new OpCase(op, detail, body));
  }
}
