// Layer normalisation of rows: x, y [rows, columns], mean and rstd [rows]. One warp takes a row; after the first pass
// the row comes from the cache.

/** Four elements of a row from column c on, less `center`; zeros beyond its end. */
__device__ __forceinline__ float4 deviations(const float* row, int c, int columns, bool vector, float center) {
  return first_of(load4(row + c, columns - c, vector) - four(center), columns - c);
}

/** Also writes mean and rstd. y may be x. Four warps to a block. */
extern "C" __global__ void __launch_bounds__(128) layer_norm_forward(float* y, float* __restrict__ mean,
    float* __restrict__ rstd, const float* x, const float* __restrict__ gamma, const float* __restrict__ beta,
    int rows, int columns, float eps) {
  long long row = thread_index() >> 5;
  if (row >= rows) {
    return;
  }
  int lane = threadIdx.x & 31;
  const float* from = x + row * columns;
  float* to = y + row * columns;
  bool vector = (columns & 3) == 0 && aligned16(x) && aligned16(y) && aligned16(gamma) && aligned16(beta);

  // Distances to a value of the row are no larger than a few deviations, however large the mean is.
  float first = from[0];
  float4 sums = four(0.0f);
  for (int c = 4 * lane; c < columns; c += 128) {
    sums = sums + deviations(from, c, columns, vector, first);
  }
  float rowMean = first + warp_sum(sum4(sums)) / columns;
  float4 squares = four(0.0f);
  for (int c = 4 * lane; c < columns; c += 128) {
    float4 d = deviations(from, c, columns, vector, rowMean);
    squares = multiply_add(d, d, squares);
  }
  float variance = warp_sum(sum4(squares)) / columns;
  float rowRstd = 1.0f / sqrtf(variance + eps);
  for (int c = 4 * lane; c < columns; c += 128) {
    int valid = columns - c;
    float4 scale = load4(gamma + c, valid, vector) * rowRstd;
    float4 d = load4(from + c, valid, vector) - four(rowMean);
    store4(to + c, multiply_add(d, scale, load4(beta + c, valid, vector)), valid, vector);
  }
  if (lane == 0) {
    mean[row] = rowMean;
    rstd[row] = rowRstd;
  }
}

/** dx = rstd (h - mean(h) - n mean(h n)), h = dy gamma, n = (x - mean) rstd. dx may be dy. Four warps to a block. */
extern "C" __global__ void __launch_bounds__(128) layer_norm_gradient(float* dx, const float* dy, const float* x,
    const float* __restrict__ gamma, const float* __restrict__ mean, const float* __restrict__ rstd, int rows,
    int columns) {
  long long row = thread_index() >> 5;
  if (row >= rows) {
    return;
  }
  int lane = threadIdx.x & 31;
  long long start = row * columns;
  bool vector = (columns & 3) == 0 && aligned16(dx) && aligned16(dy) && aligned16(x) && aligned16(gamma);
  float rowMean = mean[row];
  float rowRstd = rstd[row];
  float4 sums = four(0.0f);
  float4 products = four(0.0f);
  for (int c = 4 * lane; c < columns; c += 128) {
    int valid = columns - c;
    float4 h = load4(dy + start + c, valid, vector) * load4(gamma + c, valid, vector);
    sums = sums + h;
    products = multiply_add(h, load4(x + start + c, valid, vector) - four(rowMean), products);
  }
  float shift = -rowRstd * (warp_sum(sum4(sums)) / columns);
  float slope = -rowRstd * rowRstd * rowRstd * (warp_sum(sum4(products)) / columns);
  for (int c = 4 * lane; c < columns; c += 128) {
    int valid = columns - c;
    float4 scale = load4(gamma + c, valid, vector) * rowRstd;
    float4 d = load4(x + start + c, valid, vector) - four(rowMean);
    float4 rest = multiply_add(d, four(slope), four(shift));
    store4(dx + start + c, multiply_add(load4(dy + start + c, valid, vector), scale, rest), valid, vector);
  }
}

/** Sums over a chunk: parts[chunk, 0, c] of dy (x - mean) rstd, parts[chunk, 1, c] of dy. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) layer_norm_parameter_parts(float* __restrict__ parts,
    const float* __restrict__ dy, const float* __restrict__ x, const float* __restrict__ mean,
    const float* __restrict__ rstd, int rows, int columns, int chunkRows) {
  __shared__ float scratch[512];
  ColumnTile tile = column_tile(rows, columns, chunkRows);
  bool vector = (columns & 3) == 0 && aligned16(dy) && aligned16(x);
  float4 products = four(0.0f);
  float4 sums = four(0.0f);
#pragma unroll 4
  for (int row = tile.row; row < tile.end; row += 16) {
    long long at = (long long)row * columns + tile.column;
    float4 d = load4(dy + at, tile.valid, vector);
    float4 n = (load4(x + at, tile.valid, vector) - four(mean[row])) * rstd[row];
    products = multiply_add(d, n, products);
    sums = sums + d;
  }
  float product = tile_sum(products, scratch);
  float sum = tile_sum(sums, scratch);
  int column = tile.blockColumn + threadIdx.x;
  if (threadIdx.x < 64 && column < columns) {
    float* to = parts + (long long)tile.chunk * 2 * columns + column;
    to[0] = product;
    to[columns] = sum;
  }
}

/** dGamma += the sum of the first parts, dBeta += that of the second; each may be null. Blocks of 32 columns. */
extern "C" __global__ void __launch_bounds__(256) layer_norm_parameters(float* __restrict__ dGamma,
    float* __restrict__ dBeta, const float* __restrict__ parts, int columns, int chunks) {
  __shared__ double scratch[256];
  int c = blockIdx.x * 32 + (threadIdx.x & 31);
  bool exists = c < columns;
  for (int part = 0; part < 2; part++) {
    float* to = part == 0 ? dGamma : dBeta;
    if (to != nullptr) {
      double sum = parts_sum(parts + (long long)part * columns + c, 2LL * columns, chunks, exists, scratch);
      if (threadIdx.x < 32 && exists) {
        to[c] += (float)sum;
      }
    }
  }
}
