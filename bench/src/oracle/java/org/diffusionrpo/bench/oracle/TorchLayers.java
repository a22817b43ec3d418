package org.diffusionrpo.bench.oracle;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's layers as functions; a layer's parameters are {@code name.weight} and {@code name.bias}. */
final class TorchLayers {
  private static final double LAYER_NORM_EPS = 1e-5;

  private final Weights weights;
  private final long groups;

  /** @param groups of all group norms */
  TorchLayers(Weights weights, long groups) {
    this.weights = weights;
    this.groups = groups;
  }

  /** Padded by half the kernel on all sides. */
  Tensor conv(String name, Tensor x, long outChannels, long kernel, long stride) {
    return conv(name, x, outChannels, kernel, stride, kernel / 2);
  }

  Tensor conv(String name, Tensor x, long outChannels, long kernel, long stride, long padding) {
    Tensor weight = weights.get(name + ".weight", outChannels, x.size(1), kernel, kernel);
    return Tensors.conv2d(x, weight, weights.get(name + ".bias", outChannels), stride, padding);
  }

  Tensor linear(String name, Tensor x, long outWidth, boolean bias) {
    Tensor weight = weights.get(name + ".weight", outWidth, x.size(x.dim() - 1));
    return bias ? torch.linear(x, weight, weights.get(name + ".bias", outWidth)) : torch.linear(x, weight);
  }

  Tensor groupNorm(String name, Tensor x, double eps) {
    long channels = x.size(1);
    return Tensors.groupNorm(
        x, groups, weights.get(name + ".weight", channels), weights.get(name + ".bias", channels), eps);
  }

  Tensor layerNorm(String name, Tensor x) {
    long width = x.size(2);
    return Tensors.layerNorm(
        x, weights.get(name + ".weight", width), weights.get(name + ".bias", width), LAYER_NORM_EPS);
  }

  /** Rows of {@code name.weight} [rows, width] for each of the ids. */
  Tensor embedding(String name, Tensor ids, long rows, long width) {
    return torch.embedding(weights.get(name + ".weight", rows, width), ids);
  }
}
