package org.diffusionrpo.bench.versus;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * The operations that are bound by memory and have no row of their own in the comparison with libtorch, so that a report
 * has every family of kernels. Values do not matter for their time and are zero.
 */
final class MovingOperations {
  private static final int SAMPLES = 2;
  private static final int GROUPS = 32;
  private static final Backend.AdamWStep ADAMW = new Backend.AdamWStep(1e-6, 0.9, 0.999, 1e-8, 1e-2, 0.5, 0.5);
  private static final Backend.AdafactorStep ADAFACTOR = new Backend.AdafactorStep(2, 1e-6, 1e-2);

  private final Map<String, Function<Backend, Runnable>> operations = new LinkedHashMap<>();
  private final int side;
  private final int channels;

  private MovingOperations(int side, int channels) {
    this.side = side;
    this.channels = channels;
  }

  /** By name: what makes operands on a backend and returns the operation, on images [2, side, side, channels]. */
  static Map<String, Function<Backend, Runnable>> of(int side, int channels) {
    MovingOperations all = new MovingOperations(side, channels);
    all.elementwise();
    all.norms();
    all.moves();
    all.training();
    return all.operations;
  }

  private void add(String name, Function<Backend, Runnable> prepare) {
    operations.put(name + " [" + SAMPLES + "," + side + "," + side + "," + channels + "]", prepare);
  }

  private Tensor image(Backend b) {
    return b.zeros(Shape.of(SAMPLES, side, side, channels));
  }

  private Tensor vector(Backend b) {
    return b.zeros(Shape.of(channels));
  }

  private void elementwise() {
    binary("add", (b, x, y) -> b.add(y, x, x));
    binary("axpy", (b, x, y) -> b.axpy(y, 0.5f, x));
    binary("lerp", (b, x, y) -> b.lerp(y, x, 0.5f));
    for (Activation kind : Activation.values()) {
      binary(kind.name().toLowerCase(Locale.ROOT) + " forward", (b, x, y) -> b.activationForward(kind, y, x));
      binary(kind.name().toLowerCase(Locale.ROOT) + " backward",
          (b, x, y) -> b.activationBackward(kind, y, x, x));
    }
    add("add_broadcast", b -> {
      Tensor x = image(b);
      Tensor v = vector(b);
      return () -> b.addBroadcast(x, x, v);
    });
    add("sum_rows", b -> {
      Tensor x = image(b);
      Tensor v = vector(b);
      return () -> b.sumRows(v, x);
    });
    add("add_per_sample", b -> {
      Tensor x = image(b);
      Tensor v = b.zeros(Shape.of(SAMPLES, channels));
      return () -> b.addPerSample(x, x, v);
    });
    add("sum_positions", b -> {
      Tensor x = image(b);
      Tensor v = b.zeros(Shape.of(SAMPLES, channels));
      return () -> b.sumPositions(v, x);
    });
  }

  /** An operation on two images. */
  private interface Binary {
    void run(Backend backend, Tensor x, Tensor y);
  }

  private void binary(String name, Binary operation) {
    add(name, b -> {
      Tensor x = image(b);
      Tensor y = image(b);
      return () -> operation.run(b, x, y);
    });
  }

  private void norms() {
    add("group_norm forward", b -> {
      Tensor x = image(b);
      Tensor y = image(b);
      Tensor mean = b.zeros(Shape.of(SAMPLES, GROUPS));
      Tensor rstd = b.zeros(mean.shape());
      Tensor gamma = vector(b);
      return () -> b.groupNormForward(y, mean, rstd, x, gamma, gamma, GROUPS, 1e-5f);
    });
    add("group_norm backward", b -> {
      Tensor x = image(b);
      Tensor y = image(b);
      Tensor mean = b.zeros(Shape.of(SAMPLES, GROUPS));
      Tensor gamma = vector(b);
      Tensor dGamma = vector(b);
      Tensor dBeta = vector(b);
      return () -> b.groupNormBackward(y, dGamma, dBeta, x, x, gamma, mean, mean, GROUPS);
    });
  }

  private void moves() {
    add("concat", b -> {
      Tensor x = image(b);
      Tensor y = b.zeros(x.shape().withLast(2 * channels));
      return () -> b.concat(y, x, x, 3);
    });
    add("split", b -> {
      Tensor a = image(b);
      Tensor c = image(b);
      Tensor y = b.zeros(a.shape().withLast(2 * channels));
      return () -> b.split(a, c, y, 3);
    });
    add("upsample_nearest forward", b -> {
      Tensor x = image(b);
      Tensor y = b.zeros(Shape.of(SAMPLES, 2 * side, 2 * side, channels));
      return () -> b.upsampleNearestForward(y, x);
    });
    add("upsample_nearest backward", b -> {
      Tensor x = image(b);
      Tensor y = b.zeros(Shape.of(SAMPLES, 2 * side, 2 * side, channels));
      return () -> b.upsampleNearestBackward(x, y);
    });
    add("embedding forward", b -> {
      Tensor table = b.zeros(Shape.of(side * side, channels));
      Tensor y = b.zeros(Shape.of(SAMPLES * side * side, channels));
      int[] ids = ids();
      return () -> b.embeddingForward(y, table, ids);
    });
    add("embedding backward", b -> {
      Tensor table = b.zeros(Shape.of(side * side, channels));
      Tensor y = b.zeros(Shape.of(SAMPLES * side * side, channels));
      int[] ids = ids();
      return () -> b.embeddingBackward(table, y, ids);
    });
  }

  private int[] ids() {
    int[] ids = new int[SAMPLES * side * side];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = i * 7 % (side * side);
    }
    return ids;
  }

  private void training() {
    add("squared_error", b -> {
      Tensor x = image(b);
      Tensor y = image(b);
      double[] errors = new double[SAMPLES];
      return () -> b.squaredErrorPerSample(errors, x, y);
    });
    binary("squared_error backward", (b, x, y) -> b.squaredErrorBackward(y, x, x, new float[SAMPLES]));
    add("sum_of_squares", b -> {
      Tensor x = image(b);
      return () -> b.sumOfSquares(List.of(x));
    });
    add("adamw", b -> {
      Tensor w = image(b);
      Tensor g = image(b);
      Tensor m = image(b);
      Tensor v = image(b);
      return () -> b.adamW(w, g, m, v, ADAMW);
    });
    add("adafactor", b -> {
      Tensor w = b.zeros(Shape.of(SAMPLES * side * side, channels));
      Tensor g = b.zeros(w.shape());
      Tensor rows = b.zeros(Shape.of(SAMPLES * side * side));
      Tensor columns = vector(b);
      return () -> b.adafactor(w, g, rows, columns, ADAFACTOR);
    });
  }
}
