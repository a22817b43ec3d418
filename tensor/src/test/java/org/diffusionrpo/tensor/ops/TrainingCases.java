package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Losses, norms and optimizers. */
final class TrainingCases {
  /** Elements of a sample; the last is several pieces of a sum. */
  private static final int[] LENGTHS = {1, 3, 7, 15, 17, 31, 33, 70_001};

  private final List<OpCase> cases = new ArrayList<>();

  static List<OpCase> all() {
    TrainingCases all = new TrainingCases();
    for (int[] size : new int[][] {{1, 1}, {3, 7}, {17, 33}, {150, 65}, {40, 500}}) {
      all.adafactor(size, size[0], size[1]);
    }
    for (int[] s : new int[][] {{5, 3, 3, 7}, {2, 1, 1, 17}, {3, 3, 2, 33}, {9, 5, 4, 1}}) {
      all.adafactor(s, s[0] * s[1] * s[3], s[0] * s[2] * s[3]);
    }
    for (int n : LENGTHS) {
      all.sums(n);
      all.adamW(n);
      all.adafactor(new int[] {n}, n, 0);
    }
    return all.cases;
  }

  private void sums(int n) {
    String size = "3 x " + n;
    add("sumOfSquares", size, (b, out) -> out.add("sum", b.sumOfSquares(List.of(gaussian(b, 1, 3, n), gaussian(b, 2, 5)))));
    add("squaredErrorPerSample", size, (b, out) -> {
      double[] errors = new double[3];
      b.squaredErrorPerSample(errors, gaussian(b, 1, 3, n), gaussian(b, 2, 3, n));
      out.add("errors", errors);
    });
    add("squaredErrorBackward", size, (b, out) -> {
      Tensor da = b.empty(Shape.of(3, n));
      b.squaredErrorBackward(da, gaussian(b, 1, 3, n), gaussian(b, 2, 3, n), new float[] {0.5f, -2, 3});
      out.add("da", da);
    });
    add("squaredErrorBackward", "in place " + size, (b, out) -> {
      Tensor a = gaussian(b, 1, 3, n);
      b.squaredErrorBackward(a, a, gaussian(b, 2, 3, n), new float[] {0.5f, -2, 3});
      out.add("da", a);
    });
  }

  private void adamW(int n) {
    add("adamW", "n=" + n, (b, out) -> {
      Tensor w = gaussian(b, 1, n);
      Tensor m = b.zeros(w.shape());
      Tensor v = b.zeros(w.shape());
      for (int k = 1; k <= 3; k++) {
        b.adamW(w, gaussian(b, k + 1, n), m, v,
            new Backend.AdamWStep(0.01, 0.9, 0.999, 1e-8, 0.1, 1 - Math.pow(0.9, k), 1 - Math.pow(0.999, k)));
      }
      out.add("w", w);
      out.add("m", m);
      out.add("v", v);
    });
  }

  /** No columns: the second moment is not factored. */
  private void adafactor(int[] dims, int rows, int columns) {
    add("adafactor", Arrays.toString(dims), (b, out) -> {
      Tensor w = gaussian(b, 1, dims);
      Tensor rowState = b.zeros(Shape.of(rows));
      Tensor columnState = columns == 0 ? null : b.zeros(Shape.of(columns));
      for (int k = 1; k <= 3; k++) {
        b.adafactor(w, gaussian(b, k + 1, dims), rowState, columnState, new Backend.AdafactorStep(k, 0.01, 0.1));
      }
      out.add("w", w);
      out.add("rows", rowState);
      if (columnState != null) {
        out.add("columns", columnState);
      }
    });
  }

  private void add(String op, String detail, OpCase.Body body) {
    cases.add(new OpCase(op, detail, body));
  }
}
