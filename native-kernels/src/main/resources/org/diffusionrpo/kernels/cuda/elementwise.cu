// Elementwise arithmetic, broadcasts with the sums that are their gradients, and rows moved between matrices.

/** y = a + b. */
extern "C" __global__ void __launch_bounds__(256) add(float* y, const float* a, const float* b, long long n) {
  map(y, a, b, n, [](float u, float v) { return u + v; });
}

/** y = s x. */
extern "C" __global__ void __launch_bounds__(256) scale(float* y, const float* x, float s, long long n) {
  map(y, x, n, [s](float v) { return s * v; });
}

/** y += a x. */
extern "C" __global__ void __launch_bounds__(256) axpy(float* y, float a, const float* x, long long n) {
  map(y, y, x, n, [a](float u, float v) { return fmaf(a, v, u); });
}

/** average += weight (x - average). */
extern "C" __global__ void __launch_bounds__(256) lerp(float* average, const float* x, float weight, long long n) {
  map(average, average, x, n, [weight](float u, float v) { return fmaf(weight, v - u, u); });
}

/** y = value. */
extern "C" __global__ void __launch_bounds__(256) fill(float* y, float value, long long n) {
  long long quads = aligned16(y) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    ((float4*)y)[i] = four(value);
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    y[i] = value;
  }
}

/** y[n, p, c] = x[n, p, c] + v[n, c]. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) add_per_sample(float* y, const float* x, const float* v, int samples,
    int positions, int channels, int chunkRows) {
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(y) && aligned16(x) && aligned16(v);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    float4 shift = load4(v + (long long)sample * channels + tile.column, tile.valid, vector && tile.valid > 0);
    for (int row = tile.row; row < tile.end; row += 16) {
      long long at = ((long long)sample * positions + row) * channels + tile.column;
      store4(y + at, load4(x + at, tile.valid, vector) + shift, tile.valid, vector);
    }
  }
}

/** parts[n, chunk, c] = sum of dy[n, p, c] over the positions of a chunk. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) sum_positions_parts(float* __restrict__ parts,
    const float* __restrict__ dy, int samples, int positions, int channels, int chunkRows) {
  __shared__ float scratch[512];
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(dy);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    float4 sum = four(0.0f);
#pragma unroll 4
    for (int row = tile.row; row < tile.end; row += 16) {
      sum = sum + load4(dy + ((long long)sample * positions + row) * channels + tile.column, tile.valid, vector);
    }
    float total = tile_sum(sum, scratch);
    int column = tile.blockColumn + threadIdx.x;
    if (threadIdx.x < 64 && column < channels) {
      parts[((long long)sample * tile.chunks + tile.chunk) * channels + column] = total;
    }
  }
}

/** dv[n, c] += sum of parts[n, chunk, c] over the chunks. Blocks of 32 channels. */
extern "C" __global__ void __launch_bounds__(256) sum_positions(float* __restrict__ dv,
    const float* __restrict__ parts, int samples, int chunks, int channels) {
  __shared__ double scratch[256];
  int c = blockIdx.x * 32 + (threadIdx.x & 31);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    double sum = parts_sum(parts + (long long)sample * chunks * channels + c, channels, chunks, c < channels, scratch);
    if (threadIdx.x < 32 && c < channels) {
      dv[(long long)sample * channels + c] += (float)sum;
    }
  }
}

/** y[row, 0..inner) = x[row, 0..inner) of matrices whose rows are yStride and xStride elements apart. */
extern "C" __global__ void __launch_bounds__(256) copy_rows(float* __restrict__ y, const float* __restrict__ x,
    long long rows, int inner, int yStride, int xStride) {
  if (((inner | yStride | xStride) & 3) == 0 && aligned16(y) && aligned16(x)) {
    int quads = inner / 4;
    for (long long i = thread_index(); i < rows * quads; i += thread_count()) {
      long long row = quotient(i, quads);
      long long column = i - row * quads;
      ((float4*)y)[row * (yStride / 4) + column] = ((const float4*)x)[row * (xStride / 4) + column];
    }
    return;
  }
  for (long long i = thread_index(); i < rows * inner; i += thread_count()) {
    long long row = quotient(i, inner);
    long long column = i - row * inner;
    y[row * yStride + column] = x[row * xStride + column];
  }
}
