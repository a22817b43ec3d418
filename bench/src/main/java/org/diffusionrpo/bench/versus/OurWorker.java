package org.diffusionrpo.bench.versus;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * The operations of our CPU backend as the layers of {@code org.diffusionrpo.tensor.nn} call them: outputs come from the
 * pool in every run, gradients of parameters are added to.
 */
final class OurWorker implements Worker {
  private static final float EPS = 1e-5f;

  private final Backend backend;

  OurWorker(Backend backend) {
    this.backend = backend;
  }

  @Override
  public Runnable gemm(Row.Gemm row) {
    int m = row.m();
    int n = row.n();
    int k = row.k();
    Tensor a = row.form().transA ? random("a", k, m) : random("a", m, k);
    Tensor b = row.form().transB ? random("b", n, k) : random("b", k, n);
    return switch (row.form()) {
      case NT -> scoped(() -> backend.linearForward(empty(m, n), a, b, null));
      case NN -> scoped(() -> backend.linearBackwardData(empty(m, n), a, b));
      case TN -> {
        Tensor c = backend.zeros(Shape.of(m, n));
        yield () -> backend.linearBackwardWeight(c, null, a, b);
      }
    };
  }

  @Override
  public Runnable convolution(Row.Convolution row) {
    int kernel = row.kernel();
    Conv2dGeometry same = Conv2dGeometry.of(1, kernel / 2);
    Tensor x = random("x", row.samples(), row.side(), row.side(), row.channels());
    Tensor weight = random("weight", row.filters(), kernel, kernel, row.channels());
    Tensor bias = random("bias", row.filters());
    Shape out = x.shape().withLast(row.filters());
    if (row.pass() == Pass.FORWARD) {
      return scoped(() -> backend.conv2dForward(backend.empty(out), x, weight, bias, same));
    }
    Tensor dy = random("dy", out.toArray());
    Tensor dWeight = backend.zeros(weight.shape());
    Tensor dBias = backend.zeros(bias.shape());
    return scoped(() -> {
      backend.conv2dBackwardWeight(dWeight, dBias, dy, x, same);
      backend.conv2dBackwardData(backend.empty(x.shape()), dy, weight, same);
    });
  }

  @Override
  public Runnable attention(Row.Attention row) {
    int channels = row.heads() * row.headDim();
    Tensor q = random("q", row.samples(), row.queries(), channels);
    Tensor k = random("k", row.samples(), row.keys(), channels);
    Tensor v = random("v", row.samples(), row.keys(), channels);
    Shape lse = Shape.of(row.samples(), row.heads(), row.queries());
    if (row.pass() == Pass.FORWARD) {
      return scoped(() -> backend.attentionForward(
          backend.empty(q.shape()), backend.empty(lse), q, k, v, row.heads(), false));
    }
    Tensor out = backend.empty(q.shape());
    Tensor sums = backend.empty(lse);
    backend.attentionForward(out, sums, q, k, v, row.heads(), false);
    Tensor dOut = random("dOut", q.shape().toArray());
    return scoped(() -> backend.attentionBackward(backend.empty(q.shape()), backend.empty(k.shape()),
        backend.empty(v.shape()), dOut, q, k, v, out, sums, row.heads(), false));
  }

  @Override
  public Runnable groupNormSilu(Row.GroupNormSilu row) {
    int groups = Row.GroupNormSilu.GROUPS;
    Tensor x = random("x", row.samples(), row.side(), row.side(), row.channels());
    Tensor gamma = random("gamma", row.channels());
    Tensor beta = random("beta", row.channels());
    Shape statistics = Shape.of(row.samples(), groups);
    if (row.pass() == Pass.FORWARD) {
      return scoped(() -> backend.groupNormSiluForward(
          backend.empty(x.shape()), backend.empty(statistics), backend.empty(statistics), x, gamma, beta, groups, EPS));
    }
    Tensor mean = backend.empty(statistics);
    Tensor rstd = backend.empty(statistics);
    backend.groupNormSiluForward(backend.empty(x.shape()), mean, rstd, x, gamma, beta, groups, EPS);
    Tensor dy = random("dy", x.shape().toArray());
    Tensor dGamma = backend.zeros(gamma.shape());
    Tensor dBeta = backend.zeros(beta.shape());
    return scoped(() -> backend.groupNormSiluBackward(
        backend.empty(x.shape()), dGamma, dBeta, dy, x, gamma, beta, mean, rstd, groups));
  }

  @Override
  public Runnable layerNorm(Row.LayerNorm row) {
    Tensor x = random("x", row.samples(), row.tokens(), row.channels());
    Tensor gamma = random("gamma", row.channels());
    Tensor beta = random("beta", row.channels());
    Shape rows = Shape.of(row.samples() * row.tokens());
    if (row.pass() == Pass.FORWARD) {
      return scoped(() -> backend.layerNormForward(
          backend.empty(x.shape()), backend.empty(rows), backend.empty(rows), x, gamma, beta, EPS));
    }
    Tensor mean = backend.empty(rows);
    Tensor rstd = backend.empty(rows);
    backend.layerNormForward(backend.empty(x.shape()), mean, rstd, x, gamma, beta, EPS);
    Tensor dy = random("dy", x.shape().toArray());
    Tensor dGamma = backend.zeros(gamma.shape());
    Tensor dBeta = backend.zeros(beta.shape());
    return scoped(
        () -> backend.layerNormBackward(backend.empty(x.shape()), dGamma, dBeta, dy, x, gamma, mean, rstd));
  }

  @Override
  public Runnable geglu(Row.Geglu row) {
    Tensor x = random("x", row.samples(), row.tokens(), row.width());
    Shape half = x.shape().withLast(row.width() / 2);
    if (row.pass() == Pass.FORWARD) {
      return scoped(() -> backend.gegluForward(backend.empty(half), x));
    }
    Tensor dy = random("dy", half.toArray());
    return scoped(() -> backend.gegluBackward(backend.empty(x.shape()), dy, x));
  }

  @Override
  public Runnable unet(Row.UNet row) {
    return OurNetworks.unet(backend, row);
  }

  @Override
  public Runnable rpoStep(Row.RpoStep row) {
    return OurNetworks.rpoStep(backend, row);
  }

  private Tensor empty(int... dims) {
    return backend.empty(Shape.of(dims));
  }

  private Tensor random(String name, int... dims) {
    Shape shape = Shape.of(dims);
    return backend.of(shape, Operands.random(name, shape.size()));
  }

  /** What the run made goes back to the pool, as after a layer. */
  private Runnable scoped(Runnable run) {
    return () -> {
      try (MemoryScope scope = backend.scope()) {
        run.run();
      }
    };
  }
}
