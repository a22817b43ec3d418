// Activations and their gradients. An output may be one of the inputs.

/** y = x sigmoid(slope x): SiLU at slope 1, quick GELU at 1.702. */
extern "C" __global__ void __launch_bounds__(256) swish_forward(float* y, const float* x, float slope, long long n) {
  map(y, x, n, [slope](float v) { return v * sigmoid(slope * v); });
}

/** dx = dy d/dx (x sigmoid(slope x)). */
extern "C" __global__ void __launch_bounds__(256) swish_backward(float* dx, const float* dy, const float* x,
    float slope, long long n) {
  map(dx, dy, x, n, [slope](float d, float v) { return d * silu_slope(slope * v); });
}

extern "C" __global__ void __launch_bounds__(256) gelu_forward(float* y, const float* x, long long n) {
  map(y, x, n, [](float v) { return gelu(v); });
}

extern "C" __global__ void __launch_bounds__(256) gelu_backward(float* dx, const float* dy, const float* x,
    long long n) {
  map(dx, dy, x, n, [](float d, float v) { return d * gelu_slope(v); });
}

/** y[r, c] = a[r, c] gelu(gate[r, c]) with x[r] = [a[r], gate[r]]. */
extern "C" __global__ void __launch_bounds__(256) geglu_forward(float* __restrict__ y, const float* __restrict__ x,
    long long rows, int columns) {
  if ((columns & 3) == 0 && aligned16(y) && aligned16(x)) {
    int quads = columns / 4;
    for (long long i = thread_index(); i < rows * quads; i += thread_count()) {
      const float4* a = (const float4*)x + i + quotient(i, quads) * quads;
      float4 gate = a[quads];
      ((float4*)y)[i] = a[0] * make_float4(gelu(gate.x), gelu(gate.y), gelu(gate.z), gelu(gate.w));
    }
    return;
  }
  for (long long i = thread_index(); i < rows * columns; i += thread_count()) {
    const float* a = x + i + quotient(i, columns) * columns;
    y[i] = a[0] * gelu(a[columns]);
  }
}

/** dx[r] = [dy[r] gelu(gate[r]), dy[r] a[r] gelu'(gate[r])]. */
extern "C" __global__ void __launch_bounds__(256) geglu_backward(float* dx, const float* dy, const float* x,
    long long rows, int columns) {
  if ((columns & 3) == 0 && aligned16(dx) && aligned16(dy) && aligned16(x)) {
    int quads = columns / 4;
    for (long long i = thread_index(); i < rows * quads; i += thread_count()) {
      long long at = i + quotient(i, quads) * quads;
      float4 d = ((const float4*)dy)[i];
      float4 a = ((const float4*)x)[at];
      float4 gate = ((const float4*)x)[at + quads];
      ((float4*)dx)[at] = d * make_float4(gelu(gate.x), gelu(gate.y), gelu(gate.z), gelu(gate.w));
      ((float4*)dx)[at + quads] =
          d * a * make_float4(gelu_slope(gate.x), gelu_slope(gate.y), gelu_slope(gate.z), gelu_slope(gate.w));
    }
    return;
  }
  for (long long i = thread_index(); i < rows * columns; i += thread_count()) {
    long long at = i + quotient(i, columns) * columns;
    float d = dy[i];
    float a = x[at];
    float gate = x[at + columns];
    dx[at] = d * gelu(gate);
    dx[at + columns] = d * a * gelu_slope(gate);
  }
}
