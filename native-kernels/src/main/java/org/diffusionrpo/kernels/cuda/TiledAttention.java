package org.diffusionrpo.kernels.cuda;

/**
 * {@link Attention} in tiles of scores that live in registers and shared memory: in fp32 (attention.cu), which TF32
 * takes too, or on tensor cores (attention_mma.cu).
 */
final class TiledAttention {
  private final CudaDevice device;
  private final Softmax softmax;
  private final Precision precision;
  private final String module;
  private final String format;

  TiledAttention(CudaDevice device) {
    this.device = device;
    this.softmax = new Softmax(device);
    this.precision = device.options().precision();
    this.module = precision.isHalf() ? "attention_mma" : "attention";
    this.format = switch (precision) {
      case FP32, TF32 -> "";
      case BF16 -> "_bf16";
      case FP16 -> "_f16";
    };
  }

  void forward(DeviceBuffer out, DeviceBuffer lse, DeviceBuffer q, DeviceBuffer k, DeviceBuffer v,
      AttentionSizes sizes) {
    AttentionTile tile = AttentionTile.of(precision, AttentionTile.Pass.FORWARD, sizes.headDim());
    launch("attention_forward", tile, sizes.queries(), sizes, out, lse, q, k, v);
  }

  void backward(DeviceBuffer dq, DeviceBuffer dk, DeviceBuffer dv, DeviceBuffer dOut, DeviceBuffer q, DeviceBuffer k,
      DeviceBuffer v, DeviceBuffer out, DeviceBuffer lse, AttentionSizes sizes) {
    AttentionTile ofKeys = AttentionTile.of(precision, AttentionTile.Pass.BACKWARD_KEYS, sizes.headDim());
    AttentionTile ofQueries = AttentionTile.of(precision, AttentionTile.Pass.BACKWARD_QUERIES, sizes.headDim());
    try (DeviceBuffer scale = softmax.scaleOf(dOut, sizes);
        DeviceBuffer delta = device.memory().take(sizes.rows() * Float.BYTES)) {
      softmax.delta(delta, dOut, out, scale, sizes);
      if (precision.isHalf()) {
        launch("attention_backward_keys", ofKeys, sizes.keys(), sizes, dk, dv, dOut, q, k, v, lse, delta, scale);
        launch("attention_backward_queries", ofQueries, sizes.queries(), sizes, dq, dOut, q, k, v, lse, delta, scale);
      } else {
        launch("attention_backward_keys", ofKeys, sizes.keys(), sizes, dk, dv, dOut, q, k, v, lse, delta);
        launch("attention_backward_queries", ofQueries, sizes.queries(), sizes, dq, dOut, q, k, v, lse, delta);
      }
    }
  }

  /** @param tokens of the side that owns the rows */
  private void launch(String kernel, AttentionTile tile, int tokens, AttentionSizes sizes, DeviceBuffer... tensors) {
    Object[] arguments = new Object[tensors.length + 6];
    System.arraycopy(tensors, 0, arguments, 0, tensors.length);
    Object[] numbers = {sizes.queries(), sizes.keys(), sizes.heads(), sizes.headDim(), sizes.scale(),
        sizes.causalFlag()};
    System.arraycopy(numbers, 0, arguments, tensors.length, numbers.length);
    device.module(module).launch(kernel + format + "_" + tile.width(), tile.grid(tokens, sizes), arguments);
  }
}
