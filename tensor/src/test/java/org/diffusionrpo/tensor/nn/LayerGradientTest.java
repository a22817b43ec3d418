package org.diffusionrpo.tensor.nn;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Function;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.GradientCheck;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;

/** Backward of every layer against central differences, on sizes that fill no vector. */
class LayerGradientTest {
  private final Parameters parameters = new Parameters();

  @OnEachBackend
  void linear(Backend backend) {
    check(backend, new Linear(parameters.root(), 7, 5, true), 3, 7);
  }

  @OnEachBackend
  void linearOfTokensWithoutBias(Backend backend) {
    check(backend, new Linear(parameters.root(), 3, 17, false), 2, 5, 3);
  }

  @OnEachBackend
  void convolution(Backend backend) {
    check(backend, Conv2d.same3x3(parameters.root(), 3, 5), 2, 4, 5, 3);
  }

  @OnEachBackend
  void convolutionWithStride(Backend backend) {
    check(backend, new Conv2d(parameters.root(), 3, 5, 3, Conv2dGeometry.of(2, 1), true), 2, 5, 7, 3);
  }

  @OnEachBackend
  void convolutionPaddedOnTwoSides(Backend backend) {
    check(backend, new Conv2d(parameters.root(), 3, 2, 3, new Conv2dGeometry(2, 0, 0, 1, 1), false), 1, 6, 5, 3);
  }

  @OnEachBackend
  void pointwiseConvolution(Backend backend) {
    check(backend, Conv2d.pointwise(parameters.root(), 7, 3), 2, 3, 3, 7);
  }

  @OnEachBackend
  void groupNorm(Backend backend) {
    check(backend, new GroupNorm(parameters.root(), 4, 12, 1e-5f), 2, 3, 5, 12);
  }

  @OnEachBackend
  void groupNormWithSilu(Backend backend) {
    check(backend, GroupNorm.withSilu(parameters.root(), 4, 12, 1e-5f), 2, 3, 5, 12);
  }

  @OnEachBackend
  void groupNormOfSingleChannels(Backend backend) {
    check(backend, new GroupNorm(parameters.root(), 3, 3, 1e-5f), 2, 3, 3, 3);
  }

  @OnEachBackend
  void layerNorm(Backend backend) {
    check(backend, new LayerNorm(parameters.root(), 17, 1e-5f), 2, 3, 17);
  }

  @OnEachBackend
  void activations(Backend backend) {
    for (Activation kind : Activation.values()) {
      check(backend, new Pointwise(kind), 3, 33);
    }
  }

  @OnEachBackend
  void geglu(Backend backend) {
    check(backend, new Geglu(), 3, 2 * 17);
  }

  @OnEachBackend
  void sequential(Backend backend) {
    check(backend, perceptron(), 3, 7);
  }

  @OnEachBackend
  void selfAttention(Backend backend) {
    check(backend, selfAttention(6, 3, false), 2, 5, 6);
  }

  @OnEachBackend
  void causalAttention(Backend backend) {
    check(backend, selfAttention(6, 2, true), 2, 7, 6);
  }

  @OnEachBackend
  void crossAttention(Backend backend) {
    CrossAttention layer = new CrossAttention(attention(6, 5, 2, false));
    TestTensors.randomize(parameters, backend, 5);
    tolerable(GradientCheck.worstError(layer, parameters.all(), gaussian(backend, 1, 2, 3, 6),
        gaussian(backend, 2, 2, 7, 5)));
  }

  @OnEachBackend
  void checkpoint(Backend backend) {
    Checkpoint layer = new Checkpoint(new CrossAttention(attention(4, 3, 2, false)));
    TestTensors.randomize(parameters, backend, 5);
    tolerable(GradientCheck.worstError(layer, parameters.all(), gaussian(backend, 1, 1, 3, 4),
        gaussian(backend, 2, 1, 5, 3)));
  }

  @OnEachBackend
  void embedding(Backend backend) {
    Embedding embedding = new Embedding(parameters.root(), 5, 3, 1);
    TestTensors.randomize(parameters, backend, 5);
    int[] ids = {4, 0, 4, 1, 4, 0};
    Tensor dy = gaussian(backend, 7, 2, 3, 3);
    GradientCheck.Worst worst = GradientCheck.worstDirection(parameters.all(), () -> {
      float[] y = embedding.forward(backend, ids, 2).toArray();
      float[] r = dy.toArray();
      double sum = 0;
      for (int i = 0; i < y.length; i++) {
        sum += (double) y[i] * r[i];
      }
      return sum;
    }, () -> embedding.backward(dy, ids), 3);
    tolerable(worst);
  }

  @OnEachBackend
  void withoutAContextGradientAllOthersStayTheSame(Backend backend) {
    MultiHeadAttention attention = attention(6, 5, 2, false);
    TestTensors.randomize(parameters, backend, 5);
    Tensor x = gaussian(backend, 1, 2, 3, 6);
    Tensor context = gaussian(backend, 2, 2, 7, 5);
    Tensor dy = gaussian(backend, 3, 2, 3, 6);
    Tensor dContext = gaussian(backend, 4, 2, 7, 5);
    Gradients wanted = new Gradients(parameters, tape -> {
      attention.forward(x, context, tape);
      return attention.backward(dy, dContext, tape);
    });
    Gradients unwanted = new Gradients(parameters, tape -> {
      attention.forward(x, context, tape);
      return attention.backward(dy, null, tape);
    });
    wanted.assertSameBits(unwanted);
  }

  @OnEachBackend
  void contextGradientsAreAddedToWhatIsThere(Backend backend) {
    MultiHeadAttention attention = attention(6, 5, 2, false);
    TestTensors.randomize(parameters, backend, 5);
    Tensor x = gaussian(backend, 1, 2, 3, 6);
    Tensor context = gaussian(backend, 2, 2, 7, 5);
    Tensor once = backend.zeros(context.shape());
    Tensor twice = backend.zeros(context.shape());
    for (Tensor dContext : List.of(once, twice, twice)) {
      try (Tape tape = new Tape()) {
        attention.forward(x, context, tape);
        attention.backward(gaussian(backend, 3, 2, 3, 6), dContext, tape);
      }
    }
    backend.scale(once, once, 2);
    assertArrayEquals(once.toArray(), twice.toArray(), 1e-6f);
  }

  @OnEachBackend
  void aCheckpointGivesTheSameBits(Backend backend) {
    CrossAttention inner = new CrossAttention(attention(6, 5, 2, false));
    Checkpoint checkpoint = new Checkpoint(inner);
    TestTensors.randomize(parameters, backend, 5);
    Tensor x = gaussian(backend, 1, 2, 33, 6);
    Tensor context = gaussian(backend, 2, 2, 7, 5);
    Tensor dy = gaussian(backend, 3, 2, 33, 6);
    Tensor dContext = backend.zeros(context.shape());
    Tensor dContextAgain = backend.zeros(context.shape());
    Gradients plain = new Gradients(parameters, tape -> {
      inner.forward(x, context, tape);
      return inner.backward(dy, dContext, tape);
    });
    Gradients recomputed = new Gradients(parameters, tape -> {
      checkpoint.forward(x, context, tape);
      return checkpoint.backward(dy, dContextAgain, tape);
    });
    plain.assertSameBits(recomputed);
    assertArrayEquals(dContext.toArray(), dContextAgain.toArray());
  }

  @OnEachBackend
  void frozenLayersStillPassTheGradientOn(Backend backend) {
    Sequential layers = new Sequential(List.of(new GroupNorm(parameters.root().at("group"), 3, 9, 1e-5f),
        Conv2d.same3x3(parameters.root().at("conv"), 9, 5), new LayerNorm(parameters.root().at("layer"), 5, 1e-5f),
        new Linear(parameters.root().at("linear"), 5, 3, true)));
    TestTensors.randomize(parameters, backend, 5);
    Tensor x = gaussian(backend, 1, 2, 3, 5, 9);
    Tensor dy = gaussian(backend, 2, 2, 3, 5, 3);
    Gradients trained = new Gradients(parameters, tape -> {
      layers.forward(x, tape);
      return layers.backward(dy, tape);
    });
    parameters.freeze();
    try (Tape tape = new Tape()) {
      layers.forward(x, tape);
      assertArrayEquals(trained.dx(), layers.backward(dy, tape).toArray());
    }
  }

  private void check(Backend backend, Layer layer, int... x) {
    TestTensors.randomize(parameters, backend, 5);
    tolerable(GradientCheck.worstError(layer, parameters.all(), gaussian(backend, 1, x)));
  }

  private static void tolerable(GradientCheck.Worst worst) {
    assertTrue(worst.isTolerable(), worst::toString);
  }

  private Sequential perceptron() {
    return new Sequential(List.of(new Linear(parameters.root().at("fc1"), 7, 9, true), new Pointwise(Activation.SILU),
        new LayerNorm(parameters.root().at("norm"), 9, 1e-5f), new Linear(parameters.root().at("fc2"), 9, 5, true)));
  }

  private MultiHeadAttention attention(int channels, int contextChannels, int heads, boolean causal) {
    Parameters.Path path = parameters.root();
    return new MultiHeadAttention(new Linear(path.at("to_q"), channels, channels, false),
        new Linear(path.at("to_k"), contextChannels, channels, true),
        new Linear(path.at("to_v"), contextChannels, channels, false),
        new Linear(path.at("to_out"), channels, channels, true), heads, causal);
  }

  private Layer selfAttention(int channels, int heads, boolean causal) {
    MultiHeadAttention attention = attention(channels, channels, heads, causal);
    return new Layer() {
      @Override
      public Tensor forward(Tensor x, Tape tape) {
        return attention.forward(x, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tape tape) {
        return attention.backward(dy, tape);
      }
    };
  }

  private record CrossAttention(MultiHeadAttention attention) implements ConditionedLayer {
    @Override
    public Tensor forward(Tensor x, Tensor condition, Tape tape) {
      return attention.forward(x, condition, tape);
    }

    @Override
    public Tensor backward(Tensor dy, Tensor dCondition, Tape tape) {
      return attention.backward(dy, dCondition, tape);
    }
  }

  /** dx and all parameter gradients of one pass. */
  private record Gradients(float[] dx, List<float[]> ofParameters) {
    Gradients(Parameters parameters, Function<Tape, Tensor> pass) {
      this(run(parameters, pass), parameters.all().stream().map(p -> p.grad().toArray()).toList());
    }

    private static float[] run(Parameters parameters, Function<Tape, Tensor> pass) {
      parameters.zeroGrad();
      try (Tape tape = new Tape()) {
        return pass.apply(tape).toArray();
      }
    }

    void assertSameBits(Gradients other) {
      assertArrayEquals(dx, other.dx);
      for (int i = 0; i < ofParameters.size(); i++) {
        assertArrayEquals(ofParameters.get(i), other.ofParameters.get(i));
      }
    }
  }
}
