// Sums in double: each block writes one part, the parts are added in their order.

/** parts[block] = sum of x^2 over the block's elements. */
extern "C" __global__ void __launch_bounds__(256) sum_of_squares_parts(double* __restrict__ parts,
    const float* __restrict__ x, long long n) {
  __shared__ double scratch[32];
  double s0 = 0.0;
  double s1 = 0.0;
  double s2 = 0.0;
  double s3 = 0.0;
  long long quads = aligned16(x) ? n / 4 : 0;
#pragma unroll 2
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 v = ((const float4*)x)[i];
    s0 += (double)v.x * v.x;
    s1 += (double)v.y * v.y;
    s2 += (double)v.z * v.z;
    s3 += (double)v.w * v.w;
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    s0 += (double)x[i] * x[i];
  }
  double sum = block_sum((s0 + s1) + (s2 + s3), scratch);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = sum;
  }
}

/** parts[n, block] = sum of (a - b)^2 over the block's elements of sample n = blockIdx.y. */
extern "C" __global__ void __launch_bounds__(256) squared_error_parts(double* __restrict__ parts,
    const float* __restrict__ a, const float* __restrict__ b, int samples, long long columns) {
  __shared__ double scratch[32];
  bool vector = (columns & 3) == 0 && aligned16(a) && aligned16(b);
  long long quads = vector ? columns / 4 : 0;
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    const float* u = a + sample * columns;
    const float* v = b + sample * columns;
    double s0 = 0.0;
    double s1 = 0.0;
    for (long long i = thread_index(); i < quads; i += thread_count()) {
      float4 p = ((const float4*)u)[i];
      float4 q = ((const float4*)v)[i];
      double dx = (double)p.x - q.x;
      double dy = (double)p.y - q.y;
      double dz = (double)p.z - q.z;
      double dw = (double)p.w - q.w;
      s0 += dx * dx + dz * dz;
      s1 += dy * dy + dw * dw;
    }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < columns; i += thread_count()) {
      double d = (double)u[i] - v[i];
      s0 += d * d;
    }
    double sum = block_sum(s0 + s1, scratch);
    if (threadIdx.x == 0) {
      parts[(long long)sample * gridDim.x + blockIdx.x] = sum;
    }
  }
}

/** out[row] = sum of parts[row, 0..count) / divisor. One block per row. */
extern "C" __global__ void __launch_bounds__(256) sum_parts(double* __restrict__ out,
    const double* __restrict__ parts, int count, double divisor) {
  __shared__ double scratch[32];
  const double* row = parts + (long long)blockIdx.x * count;
  double sum = 0.0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    sum += row[i];
  }
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) {
    out[blockIdx.x] = sum / divisor;
  }
}

/** da[n, c] = scale[n] (a - b). da may be a or b. */
extern "C" __global__ void __launch_bounds__(256) squared_error_backward(float* da, const float* a, const float* b,
    const float* __restrict__ scale, int samples, long long columns) {
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    long long at = sample * columns;
    float s = scale[sample];
    map(da + at, a + at, b + at, columns, [s](float u, float v) { return s * (u - v); });
  }
}
