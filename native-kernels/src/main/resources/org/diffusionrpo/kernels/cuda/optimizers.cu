// One step of AdamW or of Adafactor, in place. The order of roundings is that of the CPU kernels.

// ---- AdamW. Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2 ----

struct AdamWNumbers {
  float newShare1;  // 1 - beta1
  float beta2;
  float newShare2;  // 1 - beta2
  float decay;      // lr * decay
  float rate;       // lr / (1 - beta1^k)
  float rootScale;  // 1 / sqrt(1 - beta2^k)
  float eps;
};

__device__ __forceinline__ void adamw(float& w, float g, float& m, float& v, const AdamWNumbers& c) {
  m = fmaf(g - m, c.newShare1, m);
  v = fmaf(g * g, c.newShare2, v * c.beta2);
  float update = m * c.rate / fmaf(sqrtf(v), c.rootScale, c.eps);
  w = w - fmaf(w, c.decay, update);
}

extern "C" __global__ void __launch_bounds__(256) adamw_step(float* __restrict__ w, const float* __restrict__ g,
    float* __restrict__ m, float* __restrict__ v, long long n, float newShare1, float beta2, float newShare2,
    float decay, float rate, float rootScale, float eps) {
  AdamWNumbers c = {newShare1, beta2, newShare2, decay, rate, rootScale, eps};
  long long quads = aligned16(w) && aligned16(g) && aligned16(m) && aligned16(v) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 weight = ((float4*)w)[i];
    float4 gradient = ((const float4*)g)[i];
    float4 first = ((float4*)m)[i];
    float4 second = ((float4*)v)[i];
    adamw(weight.x, gradient.x, first.x, second.x, c);
    adamw(weight.y, gradient.y, first.y, second.y, c);
    adamw(weight.z, gradient.z, first.z, second.z, c);
    adamw(weight.w, gradient.w, first.w, second.w, c);
    ((float4*)w)[i] = weight;
    ((float4*)m)[i] = first;
    ((float4*)v)[i] = second;
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    adamw(w[i], g[i], m[i], v[i], c);
  }
}

// ---- Adafactor. Shazeer and Stern 2018, arXiv:1804.04235, algorithms 4 and 5 ----
// A parameter is [outer, rows, columns, inner] with the axes rows and columns factored: "lines" of columns * inner
// elements, outer * rows of them. R is [outer, rows, inner], C is [outer, columns, inner].

#define SQUARE_FLOOR 1e-30

/** state = keep state + (1 - keep) (mean + 1e-30); returns it. */
__device__ __forceinline__ float decay_state(float* state, double mean, double keep) {
  float next = (float)(keep * *state + (1.0 - keep) * (mean + SQUARE_FLOOR));
  *state = next;
  return next;
}

/** R of a parameter with inner = 1, one warp per line. Eight warps to a block. */
extern "C" __global__ void __launch_bounds__(256) adafactor_rows(float* __restrict__ rowState,
    const float* __restrict__ g, long long lines, int columns, double keep) {
  long long line = thread_index() >> 5;
  if (line >= lines) {
    return;
  }
  int lane = threadIdx.x & 31;
  const float* row = g + line * columns;
  bool vector = (columns & 3) == 0 && aligned16(g);
  float4 squares = four(0.0f);
#pragma unroll 4
  for (int c = 4 * lane; c < columns; c += 128) {
    float4 v = load4(row + c, columns - c, vector);
    squares = multiply_add(v, v, squares);
  }
  double sum = warp_sum(((double)squares.x + squares.y) + ((double)squares.z + squares.w));
  if (lane == 0) {
    decay_state(rowState + line, sum / columns, keep);
  }
}

/** rowFactor = sqrt(mean(R) / R) of a parameter with inner = 1. One block per matrix. */
extern "C" __global__ void __launch_bounds__(256) adafactor_row_factors(float* __restrict__ rowFactor,
    const float* __restrict__ rowState, int rows) {
  __shared__ double scratch[32];
  const float* state = rowState + (long long)blockIdx.x * rows;
  double sum = 0.0;
  for (int r = threadIdx.x; r < rows; r += blockDim.x) {
    sum += state[r];
  }
  float mean = (float)(block_sum(sum, scratch) / rows);
  for (int r = threadIdx.x; r < rows; r += blockDim.x) {
    rowFactor[(long long)blockIdx.x * rows + r] = sqrtf(mean / state[r]);
  }
}

/** R and rowFactor of a parameter with inner > 1: one thread per matrix and position along inner. */
extern "C" __global__ void __launch_bounds__(256) adafactor_rows_inner(float* __restrict__ rowState,
    float* __restrict__ rowFactor, const float* __restrict__ g, int outer, int rows, int columns, int inner,
    double keep) {
  for (long long i = thread_index(); i < (long long)outer * inner; i += thread_count()) {
    long long matrix = quotient(i, inner);
    long long along = i - matrix * inner;
    double total = 0.0;
    for (int r = 0; r < rows; r++) {
      long long line = matrix * rows + r;
      const float* at = g + line * columns * inner + along;
      float sum = 0.0f;
      for (int c = 0; c < columns; c++) {
        float v = at[(long long)c * inner];
        sum = fmaf(v, v, sum);
      }
      total += decay_state(rowState + line * inner + along, (double)sum / columns, keep);
    }
    float mean = (float)(total / rows);
    for (int r = 0; r < rows; r++) {
      long long at = (matrix * rows + r) * inner + along;
      rowFactor[at] = sqrtf(mean / rowState[at]);
    }
  }
}

/** C and columnFactor = 1 / sqrt(C) where a matrix has few rows: one thread adds up the squares of a column. */
extern "C" __global__ void __launch_bounds__(256) adafactor_columns_direct(float* __restrict__ columnState,
    float* __restrict__ columnFactor, const float* __restrict__ g, int outer, int rows, int length, double keep) {
  for (long long i = thread_index(); i < (long long)outer * length; i += thread_count()) {
    long long matrix = quotient(i, length);
    const float* at = g + matrix * rows * length + (i - matrix * length);
    float sum = 0.0f;
    for (int r = 0; r < rows; r++) {
      float v = at[(long long)r * length];
      sum = fmaf(v, v, sum);
    }
    columnFactor[i] = 1.0f / sqrtf(decay_state(columnState + i, (double)sum / rows, keep));
  }
}

/** parts[matrix, chunk, c] = sum of g^2 over the chunk's rows. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) adafactor_column_parts(float* __restrict__ parts,
    const float* __restrict__ g, int outer, int rows, int length, int chunkRows) {
  __shared__ float scratch[512];
  ColumnTile tile = column_tile(rows, length, chunkRows);
  bool vector = (length & 3) == 0 && aligned16(g);
  for (int matrix = blockIdx.y; matrix < outer; matrix += gridDim.y) {
    float4 squares = four(0.0f);
#pragma unroll 4
    for (int row = tile.row; row < tile.end; row += 16) {
      float4 v = load4(g + ((long long)matrix * rows + row) * length + tile.column, tile.valid, vector);
      squares = multiply_add(v, v, squares);
    }
    float sum = tile_sum(squares, scratch);
    int column = tile.blockColumn + threadIdx.x;
    if (threadIdx.x < 64 && column < length) {
      parts[((long long)matrix * tile.chunks + tile.chunk) * length + column] = sum;
    }
  }
}

/** C from the parts of all chunks, and columnFactor = 1 / sqrt(C). Blocks of 32 columns. */
extern "C" __global__ void __launch_bounds__(256) adafactor_columns(float* __restrict__ columnState,
    float* __restrict__ columnFactor, const float* __restrict__ parts, int outer, int rows, int length, int chunks,
    double keep) {
  __shared__ double scratch[256];
  int c = blockIdx.x * 32 + (threadIdx.x & 31);
  for (int matrix = blockIdx.y; matrix < outer; matrix += gridDim.y) {
    const float* first = parts + (long long)matrix * chunks * length + c;
    double sum = parts_sum(first, length, chunks, c < length, scratch);
    if (threadIdx.x < 32 && c < length) {
      long long at = (long long)matrix * length + c;
      columnFactor[at] = 1.0f / sqrtf(decay_state(columnState + at, sum / rows, keep));
    }
  }
}

/** What g is multiplied with: row factor times column factor. */
struct Factors {
  const float* rowFactor;
  const float* columnFactor;
  int rows;
  int columns;
  int inner;

  __device__ __forceinline__ float at(long long i) const {
    int length = columns * inner;
    long long line = quotient(i, length);
    int position = (int)(i - line * length);
    int along = inner == 1 ? 0 : position % inner;
    return rowFactor[line * inner + along] * columnFactor[quotient(line, rows) * length + position];
  }

  /** Of the elements 4 i to 4 i + 3, which share their line. */
  __device__ __forceinline__ float4 at4(long long i) const {
    int quads = columns * inner / 4;
    long long line = quotient(i, quads);
    int position = (int)(i - line * quads);
    float4 column = ((const float4*)columnFactor)[quotient(line, rows) * quads + position];
    if (inner == 1) {
      return column * rowFactor[line];
    }
    int innerQuads = inner / 4;
    return column * ((const float4*)rowFactor)[line * innerQuads + position % innerQuads];
  }

  __device__ __forceinline__ bool by_four() const {
    return aligned16(columnFactor) && aligned16(rowFactor)
        && ((inner & 3) == 0 || (inner == 1 && (columns & 3) == 0));
  }
};

/** parts[block] = sum of (g factor)^2, products in float, added in double. */
extern "C" __global__ void __launch_bounds__(256) adafactor_squares(double* __restrict__ parts,
    const float* __restrict__ g, const float* __restrict__ rowFactor, const float* __restrict__ columnFactor, int rows,
    int columns, int inner, long long n) {
  __shared__ double scratch[32];
  Factors factors = {rowFactor, columnFactor, rows, columns, inner};
  long long quads = factors.by_four() && aligned16(g) ? n / 4 : 0;
  double s0 = 0.0;
  double s1 = 0.0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 u = ((const float4*)g)[i] * factors.at4(i);
    s0 += (double)u.x * u.x + (double)u.z * u.z;
    s1 += (double)u.y * u.y + (double)u.w * u.w;
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    float u = g[i] * factors.at(i);
    s0 += (double)u * u;
  }
  double sum = block_sum(s0 + s1, scratch);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = sum;
  }
}

/** lr / max(1, rms), where a sum of squares belongs to n values. What comes from NaN is NaN. */
__device__ __forceinline__ float clipped_rate(double lr, double squares, long long n) {
  double rms = sqrt(squares / (double)n);
  return (float)(lr / (rms <= 1.0 ? 1.0 : rms));
}

/** The rate from all parts. One block. */
extern "C" __global__ void __launch_bounds__(256) adafactor_rate(float* __restrict__ rate,
    const double* __restrict__ parts, int count, double lr, long long n) {
  __shared__ double scratch[32];
  double sum = 0.0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    sum += parts[i];
  }
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) {
    *rate = clipped_rate(lr, sum, n);
  }
}

/** w -= decay w + rate g factor. */
extern "C" __global__ void __launch_bounds__(256) adafactor_update(float* __restrict__ w,
    const float* __restrict__ g, const float* __restrict__ rowFactor, const float* __restrict__ columnFactor,
    const float* __restrict__ rate, int rows, int columns, int inner, long long n, float decay) {
  Factors factors = {rowFactor, columnFactor, rows, columns, inner};
  float step = *rate;
  long long quads = factors.by_four() && aligned16(w) && aligned16(g) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 weight = ((float4*)w)[i];
    float4 update = ((const float4*)g)[i] * factors.at4(i) * step;
    ((float4*)w)[i] = weight - multiply_add(weight, four(decay), update);
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    w[i] = w[i] - fmaf(w[i], decay, g[i] * factors.at(i) * step);
  }
}

/** The whole step of a vector, which keeps its full second moment V. One block: vectors are short and many. */
extern "C" __global__ void __launch_bounds__(1024) adafactor_vector(float* __restrict__ w,
    const float* __restrict__ g, float* __restrict__ secondMoment, long long n, double keep, double lr, float decay) {
  __shared__ double scratch[32];
  double sum = 0.0;
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    float u = g[i] * (1.0f / sqrtf(decay_state(secondMoment + i, (double)g[i] * g[i], keep)));
    sum += (double)u * u;
  }
  float rate = clipped_rate(lr, block_sum(sum, scratch), n);
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    w[i] = w[i] - fmaf(w[i], decay, g[i] * (1.0f / sqrtf(secondMoment[i])) * rate);
  }
}
