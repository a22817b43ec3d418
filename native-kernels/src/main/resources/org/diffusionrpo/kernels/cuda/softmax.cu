// Softmax over rows in memory, for the heads whose attention goes through matrix products, and delta, which all need.

/** Columns that a row sees: row r, counted from firstRow, sees the columns 0 .. r where the mask is causal. */
__device__ __forceinline__ int visible_columns(int columns, int firstRow, int causal) {
  return causal ? min(columns, firstRow + (int)blockIdx.x + 1) : columns;
}

/** Scores p [rows, columns] become probabilities, 0 where not visible; lse[row] = log sum exp(score). A block a row. */
extern "C" __global__ void __launch_bounds__(256) softmax_forward(float* __restrict__ p, float* __restrict__ lse,
    int columns, int firstRow, int causal) {
  __shared__ float scratch[32];
  p += (long long)blockIdx.x * columns;
  int visible = visible_columns(columns, firstRow, causal);
  float most = -infinity();
  for (int i = threadIdx.x; i < visible; i += blockDim.x) {
    most = fmaxf(most, p[i]);
  }
  most = block_max(most, scratch);
  float sum = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    float e = i < visible ? expf(p[i] - most) : 0;
    p[i] = e;
    sum += e;
  }
  sum = block_sum(sum, scratch);
  float factor = 1 / sum;
  for (int i = threadIdx.x; i < visible; i += blockDim.x) {
    p[i] *= factor;
  }
  if (threadIdx.x == 0) {
    lse[blockIdx.x] = most + logf(sum);
  }
}

/** Scores p become probabilities by lse, ds = dOut v^T the gradient of the products q k^T. A block a row. */
extern "C" __global__ void __launch_bounds__(256) softmax_backward(float* __restrict__ p, float* __restrict__ ds,
    const float* __restrict__ lse, const float* __restrict__ delta, int columns, int firstRow, float scale,
    int causal) {
  p += (long long)blockIdx.x * columns;
  ds += (long long)blockIdx.x * columns;
  int visible = visible_columns(columns, firstRow, causal);
  float rowLse = lse[blockIdx.x];
  float rowDelta = delta[blockIdx.x];
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    float probability = i < visible ? expf(p[i] - rowLse) : 0;
    p[i] = probability;
    ds[i] = scale * probability * (ds[i] - rowDelta);
  }
}

/** x as the tensor cores get it: rounded to the format (1 bf16, 2 fp16 after scaling), else unchanged. */
__device__ __forceinline__ float as_operand(float x, int format, float scale) {
  if (format == 1) {
    return bf16_to_float(float_to_bf16(x));
  }
  return format == 2 ? half_to_float(float_to_half(x * scale)) / scale : x;
}

/**
 * delta[sample, head, query] = sum_d dOut out. Where one key has almost all the weight, delta and dOut v^T almost
 * cancel: so dOut is rounded here as it is there. Eight threads a row, so that neighbours read neighbouring features.
 */
extern "C" __global__ void __launch_bounds__(128) softmax_delta(float* __restrict__ delta,
    const float* __restrict__ dOut, const float* __restrict__ out, const float* __restrict__ dOutScale, int format,
    int queries, int heads, int headDim, long long rows) {
  long long row = blockIdx.x * 16ll + threadIdx.x / 8; // [samples, queries, heads]
  float scale = dOutScale == nullptr ? 1 : *dOutScale;
  float sum = 0;
  if (row < rows) {
    for (int d = threadIdx.x % 8; d < headDim; d += 8) {
      sum += as_operand(dOut[row * headDim + d], format, scale) * out[row * headDim + d];
    }
  }
#pragma unroll
  for (int offset = 4; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(FULL_WARP, sum, offset);
  }
  if (row < rows && threadIdx.x % 8 == 0) {
    long long token = row / heads;
    delta[(token / queries * heads + row % heads) * queries + token % queries] = sum;
  }
}
