package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GradientCheck;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Tape;

/** Backward of the operations that no layer wraps against central differences, on sizes that fill no vector. */
class OpGradientTest {
  @OnEachBackend
  void doublingMatchesFiniteDifferences(Backend backend) {
    check(new Upsampling(6, 4), gaussian(backend, 1, 2, 3, 2, 5));
  }

  @OnEachBackend
  void upsamplingToOddSizesMatchesFiniteDifferences(Backend backend) {
    check(new Upsampling(5, 7), gaussian(backend, 1, 2, 3, 4, 5));
  }

  @OnEachBackend
  void concatenationAlongEachAxisMatchesFiniteDifferences(Backend backend) {
    for (int axis = 0; axis < 3; axis++) {
      int[] other = {2, 3, 7};
      other[axis] += 3;
      check(new Concatenation(axis), gaussian(backend, 1, 2, 3, 7), gaussian(backend, 2, other));
    }
  }

  @OnEachBackend
  void perSampleSumMatchesFiniteDifferences(Backend backend) {
    check(new PerSampleSum(), gaussian(backend, 1, 2, 3, 5, 7), gaussian(backend, 2, 2, 7));
  }

  @OnEachBackend
  void broadcastSumMatchesFiniteDifferences(Backend backend) {
    check(new BroadcastSum(), gaussian(backend, 1, 5, 17), gaussian(backend, 2, 17));
  }

  @OnEachBackend
  void broadcastSumOfTwoAxesMatchesFiniteDifferences(Backend backend) {
    check(new BroadcastSum(), gaussian(backend, 1, 3, 5, 7), gaussian(backend, 2, 5, 7));
  }

  @OnEachBackend
  void squaredErrorsOfSamplesMatchFiniteDifferences(Backend backend) {
    check(new SquaredErrors(gaussian(backend, 2, 3, 5, 3)), gaussian(backend, 1, 3, 5, 3));
  }

  private static void check(Layer layer, Tensor x) {
    tolerable(GradientCheck.worstError(layer, List.of(), x));
  }

  private static void check(ConditionedLayer layer, Tensor x, Tensor other) {
    tolerable(GradientCheck.worstError(layer, List.of(), x, other));
  }

  private static void tolerable(GradientCheck.Worst worst) {
    assertTrue(worst.isTolerable(), worst::toString);
  }

  private static Tensor copy(Tensor x) {
    Tensor y = x.backend().empty(x.shape());
    x.backend().copy(y, x);
    return y;
  }

  private record Upsampling(int height, int width) implements Layer {
    @Override
    public Tensor forward(Tensor x, Tape tape) {
      Tensor y = x.backend().empty(Shape.of(x.dim(0), height, width, x.dim(3)));
      x.backend().upsampleNearestForward(y, x);
      tape.push(this, x.shape());
      return y;
    }

    @Override
    public Tensor backward(Tensor dy, Tape tape) {
      try (Tape.Frame saved = tape.pop(this)) {
        Tensor dx = dy.backend().empty(saved.shape());
        dy.backend().upsampleNearestBackward(dx, dy);
        return dx;
      }
    }
  }

  private record Concatenation(int axis) implements ConditionedLayer {
    @Override
    public Tensor forward(Tensor a, Tensor b, Tape tape) {
      Tensor y = a.backend().empty(a.shape().with(axis, a.dim(axis) + b.dim(axis)));
      a.backend().concat(y, a, b, axis);
      return y;
    }

    @Override
    public Tensor backward(Tensor dy, Tensor db, Tape tape) {
      Backend backend = dy.backend();
      Tensor da = backend.empty(dy.shape().with(axis, dy.dim(axis) - db.dim(axis)));
      Tensor part = backend.empty(db.shape());
      backend.split(da, part, dy, axis);
      backend.addTo(db, part);
      return da;
    }
  }

  private record PerSampleSum() implements ConditionedLayer {
    @Override
    public Tensor forward(Tensor x, Tensor v, Tape tape) {
      Tensor y = x.backend().empty(x.shape());
      x.backend().addPerSample(y, x, v);
      return y;
    }

    @Override
    public Tensor backward(Tensor dy, Tensor dv, Tape tape) {
      dy.backend().sumPositions(dv, dy);
      return copy(dy);
    }
  }

  private record BroadcastSum() implements ConditionedLayer {
    @Override
    public Tensor forward(Tensor x, Tensor v, Tape tape) {
      Tensor y = x.backend().empty(x.shape());
      x.backend().addBroadcast(y, x, v);
      return y;
    }

    @Override
    public Tensor backward(Tensor dy, Tensor dv, Tape tape) {
      dy.backend().sumRows(dv, dy);
      return copy(dy);
    }
  }

  /** One number per sample; the gradients of these numbers are the weights of the samples. */
  private record SquaredErrors(Tensor target) implements Layer {
    @Override
    public Tensor forward(Tensor x, Tape tape) {
      double[] errors = new double[x.dim(0)];
      x.backend().squaredErrorPerSample(errors, x, target);
      float[] rounded = new float[errors.length];
      for (int n = 0; n < errors.length; n++) {
        rounded[n] = (float) errors[n];
      }
      tape.push(this, x);
      return x.backend().of(Shape.of(errors.length), rounded);
    }

    @Override
    public Tensor backward(Tensor dy, Tape tape) {
      try (Tape.Frame saved = tape.pop(this)) {
        Tensor dx = dy.backend().empty(target.shape());
        dy.backend().squaredErrorBackward(dx, saved.get(0), target, dy.toArray());
        return dx;
      }
    }
  }
}
