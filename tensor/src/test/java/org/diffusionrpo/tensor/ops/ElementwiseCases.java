package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Pointwise operations, broadcasts and their sums, joins and cuts. */
final class ElementwiseCases {
  /** Around multiples of 8 and 16 lanes, and one above the length at which kernels take several threads. */
  private static final int[] LENGTHS = {1, 3, 7, 8, 15, 17, 31, 33, 40_003};

  private static final int[][] MATRICES = {{1, 1}, {3, 7}, {1, 33}, {17, 15}, {5, 129}, {301, 67}, {2_999, 33}};

  private final List<OpCase> cases = new ArrayList<>();

  static List<OpCase> all() {
    ElementwiseCases all = new ElementwiseCases();
    for (int n : LENGTHS) {
      all.arithmetic(n);
      all.activations(n);
    }
    for (int[] size : MATRICES) {
      all.broadcasts(size[0], size[1]);
      all.perSample(3, size[0], size[1]);
      all.joins(size[0], size[1]);
      all.geglu(size[0], size[1]);
    }
    return all.cases;
  }

  private void arithmetic(int n) {
    add("copy", "n=" + n, (b, out) -> {
      Tensor y = b.empty(Shape.of(n));
      b.copy(y, gaussian(b, 1, n));
      out.add("y", y);
    });
    add("fill", "n=" + n, (b, out) -> {
      Tensor y = b.empty(Shape.of(n));
      b.fill(y, -2.5f);
      out.add("y", y);
    });
    add("add", "n=" + n, (b, out) -> {
      Tensor y = b.empty(Shape.of(n));
      b.add(y, gaussian(b, 1, n), gaussian(b, 2, n));
      out.add("y", y);
    });
    add("add", "onto an input n=" + n, (b, out) -> {
      Tensor x = gaussian(b, 1, n);
      b.add(x, gaussian(b, 2, n), x);
      out.add("y", x);
    });
    add("addTo", "n=" + n, (b, out) -> {
      Tensor y = gaussian(b, 1, n);
      b.addTo(y, gaussian(b, 2, n));
      out.add("y", y);
    });
    add("addTo", "itself n=" + n, (b, out) -> {
      Tensor y = gaussian(b, 1, n);
      b.addTo(y, y);
      out.add("y", y);
    });
    add("scale", "n=" + n, (b, out) -> {
      Tensor y = b.empty(Shape.of(n));
      b.scale(y, gaussian(b, 1, n), -0.37f);
      out.add("y", y);
    });
    add("scale", "in place n=" + n, (b, out) -> {
      Tensor y = gaussian(b, 1, n);
      b.scale(y, y, -0.37f);
      out.add("y", y);
    });
    add("axpy", "n=" + n, (b, out) -> {
      Tensor y = gaussian(b, 1, n);
      b.axpy(y, 1.7f, gaussian(b, 2, n));
      out.add("y", y);
    });
    add("lerp", "n=" + n, (b, out) -> {
      Tensor average = gaussian(b, 1, n);
      b.lerp(average, gaussian(b, 2, n), 0.3f);
      out.add("average", average);
    });
  }

  private void activations(int n) {
    for (Activation kind : Activation.values()) {
      add("activationForward", kind + " n=" + n, (b, out) -> {
        Tensor y = b.empty(Shape.of(n));
        b.activationForward(kind, y, wide(gaussian(b, 1, n)));
        out.add("y", y);
      });
      add("activationForward", kind + " in place n=" + n, (b, out) -> {
        Tensor x = wide(gaussian(b, 1, n));
        b.activationForward(kind, x, x);
        out.add("y", x);
      });
      add("activationBackward", kind + " n=" + n, (b, out) -> {
        Tensor dx = b.empty(Shape.of(n));
        b.activationBackward(kind, dx, gaussian(b, 2, n), wide(gaussian(b, 1, n)));
        out.add("dx", dx);
      });
      add("activationBackward", kind + " in place n=" + n, (b, out) -> {
        Tensor dy = gaussian(b, 2, n);
        b.activationBackward(kind, dy, dy, wide(gaussian(b, 1, n)));
        out.add("dx", dy);
      });
    }
  }

  /** Reaches into both tails of an activation. */
  private static Tensor wide(Tensor x) {
    x.backend().scale(x, x, 4f);
    return x;
  }

  private void geglu(int rows, int columns) {
    String size = rows + " x " + columns;
    add("gegluForward", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(rows, columns));
      b.gegluForward(y, gaussian(b, 1, rows, 2 * columns));
      out.add("y", y);
    });
    add("gegluBackward", size, (b, out) -> {
      Tensor dx = b.empty(Shape.of(rows, 2 * columns));
      b.gegluBackward(dx, gaussian(b, 2, rows, columns), gaussian(b, 1, rows, 2 * columns));
      out.add("dx", dx);
    });
  }

  private void broadcasts(int rows, int columns) {
    String size = rows + " x " + columns;
    add("addBroadcast", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(rows, columns));
      b.addBroadcast(y, gaussian(b, 1, rows, columns), gaussian(b, 2, columns));
      out.add("y", y);
    });
    add("addBroadcast", "of two axes in place 2 x " + size, (b, out) -> {
      Tensor x = gaussian(b, 1, 2, rows, columns);
      b.addBroadcast(x, x, gaussian(b, 2, rows, columns));
      out.add("y", x);
    });
    add("sumRows", size, (b, out) -> {
      Tensor dv = gaussian(b, 1, columns);
      b.sumRows(dv, gaussian(b, 2, rows, columns));
      out.add("dv", dv);
    });
    add("sumRows", "of two axes 3 x " + size, (b, out) -> {
      Tensor dv = gaussian(b, 1, rows, columns);
      b.sumRows(dv, gaussian(b, 2, 3, rows, columns));
      out.add("dv", dv);
    });
    add("sumRows", "without a gradient " + size, (b, out) -> b.sumRows(null, gaussian(b, 2, rows, columns)));
  }

  private void perSample(int samples, int positions, int channels) {
    String size = samples + " x " + positions + " x " + channels;
    add("addPerSample", size, (b, out) -> {
      Tensor y = b.empty(Shape.of(samples, positions, channels));
      b.addPerSample(y, gaussian(b, 1, samples, positions, channels), gaussian(b, 2, samples, channels));
      out.add("y", y);
    });
    add("addPerSample", "in place " + size, (b, out) -> {
      Tensor x = gaussian(b, 1, samples, 1, positions, channels);
      b.addPerSample(x, x, gaussian(b, 2, samples, channels));
      out.add("y", x);
    });
    add("sumPositions", size, (b, out) -> {
      Tensor dv = gaussian(b, 1, samples, channels);
      b.sumPositions(dv, gaussian(b, 2, samples, positions, channels));
      out.add("dv", dv);
    });
    add("sumPositions", "without a gradient " + size,
        (b, out) -> b.sumPositions(null, gaussian(b, 2, samples, positions, channels)));
  }

  private void joins(int rows, int columns) {
    for (int axis = 0; axis < 3; axis++) {
      int[] a = {2, rows, columns};
      int[] b = a.clone();
      b[axis] += 3;
      int[] whole = a.clone();
      whole[axis] += b[axis];
      int along = axis;
      String size = Arrays.toString(a) + " and " + Arrays.toString(b);
      add("concat", size, (backend, out) -> {
        Tensor y = backend.empty(Shape.of(whole));
        backend.concat(y, gaussian(backend, 1, a), gaussian(backend, 2, b), along);
        out.add("y", y);
      });
      add("split", size, (backend, out) -> {
        Tensor first = backend.empty(Shape.of(a));
        Tensor second = backend.empty(Shape.of(b));
        backend.split(first, second, gaussian(backend, 1, whole), along);
        out.add("a", first);
        out.add("b", second);
      });
    }
  }

  private void add(String op, String detail, OpCase.Body body) {
    cases.add(new OpCase(op, detail, body));
  }
}
