package org.diffusionrpo.bench.versus;

import java.util.function.Supplier;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The rows in libtorch's own operations on float32 NCHW tensors; backward is autograd's. */
public final class LibtorchWorker implements Worker {
  private static final double EPS = 1e-5;

  @Override
  public Runnable gemm(Row.Gemm row) {
    Tensor a = row.form().transA ? torch.randn(row.k(), row.m()) : torch.randn(row.m(), row.k());
    Tensor b = row.form().transB ? torch.randn(row.n(), row.k()) : torch.randn(row.k(), row.n());
    Tensor left = row.form().transA ? a.t() : a;
    Tensor right = row.form().transB ? b.t() : b;
    return forward(() -> left.mm(right));
  }

  @Override
  public Runnable convolution(Row.Convolution row) {
    int kernel = row.kernel();
    Tensor x = torch.randn(row.samples(), row.channels(), row.side(), row.side());
    Tensor weight = torch.randn(row.filters(), row.channels(), kernel, kernel);
    Tensor bias = torch.randn(new long[] {row.filters()});
    return pass(row.pass(), () -> TorchOps.conv2d(x, weight, bias, 1), x, weight, bias);
  }

  @Override
  public Runnable attention(Row.Attention row) {
    Tensor q = heads(row, row.queries());
    Tensor k = heads(row, row.keys());
    Tensor v = heads(row, row.keys());
    return pass(row.pass(), () -> TorchOps.attention(q, k, v), q, k, v);
  }

  /** [N, heads, T, headDim] as a view of [N, T, heads, headDim], which is how a linear layer leaves it. */
  private static Tensor heads(Row.Attention row, int tokens) {
    return torch.randn(row.samples(), tokens, row.heads(), row.headDim()).transpose(1, 2);
  }

  @Override
  public Runnable groupNormSilu(Row.GroupNormSilu row) {
    Tensor x = torch.randn(row.samples(), row.channels(), row.side(), row.side());
    Tensor gamma = torch.randn(new long[] {row.channels()});
    Tensor beta = torch.randn(new long[] {row.channels()});
    return pass(row.pass(), () -> TorchOps.consume(
        TorchOps.groupNorm(x, Row.GroupNormSilu.GROUPS, gamma, beta, EPS), torch::silu), x, gamma, beta);
  }

  @Override
  public Runnable layerNorm(Row.LayerNorm row) {
    Tensor x = torch.randn(row.samples(), row.tokens(), row.channels());
    Tensor gamma = torch.randn(new long[] {row.channels()});
    Tensor beta = torch.randn(new long[] {row.channels()});
    return pass(row.pass(), () -> TorchOps.layerNorm(x, gamma, beta), x, gamma, beta);
  }

  @Override
  public Runnable geglu(Row.Geglu row) {
    Tensor x = torch.randn(row.samples(), row.tokens(), row.width());
    return pass(row.pass(), () -> TorchOps.geglu(x), x);
  }

  @Override
  public Runnable unet(Row.UNet row) {
    return TorchNetworks.unet(row);
  }

  @Override
  public Runnable rpoStep(Row.RpoStep row) {
    return new TorchRpoStep(row.pairs());
  }

  private static Runnable pass(Pass pass, Supplier<Tensor> forward, Tensor... inputs) {
    return pass == Pass.FORWARD ? forward(forward) : backward(forward, inputs);
  }

  private static Runnable forward(Supplier<Tensor> forward) {
    return () -> {
      try (AutoGradMode off = new AutoGradMode(false)) {
        forward.get().close();
      }
    };
  }

  /** The gradients of all inputs from one forward pass, whose graph is kept. */
  private static Runnable backward(Supplier<Tensor> forward, Tensor... inputs) {
    for (Tensor input : inputs) {
      input.set_requires_grad(true);
    }
    Tensor y = forward.get();
    Tensor dy = torch.randn_like(y.detach());
    return () -> TorchOps.gradients(y, dy, true, inputs).close();
  }
}
