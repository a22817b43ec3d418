// Attention in fp32, without a matrix of probabilities in memory. FlashAttention-2, Dao 2023, arXiv:2307.08691,
// algorithms 1 and 2.
//
//   q, out [samples, queries, heads * headDim]      k, v [samples, keys, heads * headDim]
//   lse, delta [samples, heads, queries]            causal: query i sees the keys 0 .. i
//
//   s = scale q k^T     p = exp(s - lse)     lse = log sum_keys exp(s)     out = p v
//   ds = p (dOut v^T - delta)     delta = sum_d dOut out     dv = p^T dOut     dk = scale ds^T q     dq = scale ds k
//
// headDim is a multiple of 4 and tensors begin at multiples of 16 bytes, so that four features are one load.
//
// A block of 128 threads owns ROWS tokens of one head and meets the tokens of the other side COLS at a time, in order:
// queries own forward and dq, keys own dk and dv. So each output has one writer and one order of its sums, at the price
// of computing s and dOut v^T twice in backward. All of it is made of two products, for which a thread stands at
// (tx, ty) of a TX x TY grid and holds its results in registers:
//
//   dots         s[row][col] += sum_d a[row][d] b[col][d]       TM x TN of them: rows ty + TY i, columns tx + TX j
//   accumulate   o[row][d]   += sum_col p[row][col] b[col][d]   TM x OC of them: the same rows, and features as below
//
// The left factor p of the second product is a result of the first. Each row of it is spread over the TX threads of a
// warp that share ty, so it goes through shared memory one column of each thread at a time ("piece" j: the columns TX j
// to TX j + TX - 1), without a barrier of the block. Rows of a and b have D + 4 floats: D / 4 is even, so the float4
// loads of neighbouring rows fall on different banks.

/** Shapes of one launch; HEAD is headDim or the next larger size. */
template <int HEAD, int ROWS_, int COLS_, int TX_>
struct Tile {
  static constexpr int THREADS = 128;
  static constexpr int D = HEAD;
  static constexpr int LD = HEAD + 4;
  static constexpr int ROWS = ROWS_;
  static constexpr int COLS = COLS_;
  static constexpr int TX = TX_;
  static constexpr int TY = THREADS / TX;
  static constexpr int TM = ROWS / TY;
  static constexpr int TN = COLS / TX;
  static constexpr int OC = HEAD / TX;
  /** Features of a thread: VECTORS times four neighbours, then single ones. */
  static constexpr int VECTORS = OC / 4;
};

__device__ __forceinline__ bool is_visible(int query, int key, int keys, int causal) {
  return key < keys && (!causal || key <= query);
}

/** N tokens, `stride` apart, to shared memory; zeros from token `count` and from feature headDim on. */
template <class T, int N>
__device__ __forceinline__ void load_tokens(float* y, const float* __restrict__ x, int stride, int count, int headDim) {
#pragma unroll 2
  for (int i = threadIdx.x; i < N * (T::D / 4); i += T::THREADS) {
    int token = i / (T::D / 4);
    int d = i % (T::D / 4) * 4;
    bool exists = token < count && d < headDim;
    *(float4*)(y + token * T::LD + d) = exists ? *(const float4*)(x + token * stride + d) : four(0);
  }
}

/** y[row] = factor[row] * o[row], for the rows below count. */
template <class T>
__device__ void store_tokens(float* __restrict__ y, int stride, int count, int headDim,
    const float (&o)[T::TM][T::OC], const float (&factor)[T::TM]) {
  int tx = threadIdx.x % T::TX;
  int ty = threadIdx.x / T::TX;
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    int row = ty + T::TY * i;
    if (row >= count) {
      continue;
    }
    float* to = y + row * stride;
#pragma unroll
    for (int n = 0; n < T::VECTORS; n++) {
      int d = 4 * (T::TX * n + tx);
      if (d < headDim) {
        float4 x = make_float4(o[i][4 * n], o[i][4 * n + 1], o[i][4 * n + 2], o[i][4 * n + 3]);
        *(float4*)(to + d) = x * factor[i];
      }
    }
#pragma unroll
    for (int c = 4 * T::VECTORS; c < T::OC; c++) {
      int d = T::TX * c + tx;
      if (d < headDim) {
        to[d] = o[i][c] * factor[i];
      }
    }
  }
}

/** s[row][col] = sum_d a[row][d] b[col][d]; a and b in shared memory. */
template <class T>
__device__ __forceinline__ void dots(float (&s)[T::TM][T::TN], const float* a, const float* b) {
  a += threadIdx.x / T::TX * T::LD;
  b += threadIdx.x % T::TX * T::LD;
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      s[i][j] = 0;
    }
  }
#pragma unroll 2
  for (int d = 0; d < T::D; d += 4) {
    float4 y[T::TN];
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      y[j] = *(const float4*)(b + T::TX * j * T::LD + d);
    }
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
      float4 x = *(const float4*)(a + T::TY * i * T::LD + d);
#pragma unroll
      for (int j = 0; j < T::TN; j++) {
        s[i][j] += x.x * y[j].x;
        s[i][j] += x.y * y[j].y;
        s[i][j] += x.z * y[j].z;
        s[i][j] += x.w * y[j].w;
      }
    }
  }
}

/** The thread's column j of p to the shared piece [ROWS][TX]. */
template <class T>
__device__ __forceinline__ void write_piece(float* piece, const float (&p)[T::TM][T::TN], int j) {
  piece += threadIdx.x; // = ty * TX + tx
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    piece[T::TY * T::TX * i] = p[i][j];
  }
}

/** o[row][d] += sum_col piece[row][col] b[col][d] over TX columns. */
template <class T>
__device__ __forceinline__ void accumulate(float (&o)[T::TM][T::OC], const float* piece, const float* b) {
  int tx = threadIdx.x % T::TX;
  piece += threadIdx.x / T::TX * T::TX;
#pragma unroll 1
  for (int col = 0; col < T::TX; col += 4) {
    float4 p[T::TM];
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
      p[i] = *(const float4*)(piece + T::TY * T::TX * i + col);
    }
#pragma unroll
    for (int e = 0; e < 4; e++) {
      const float* row = b + (col + e) * T::LD;
      float y[T::OC];
#pragma unroll
      for (int n = 0; n < T::VECTORS; n++) {
        float4 f = *(const float4*)(row + 4 * (T::TX * n + tx));
        y[4 * n] = f.x;
        y[4 * n + 1] = f.y;
        y[4 * n + 2] = f.z;
        y[4 * n + 3] = f.w;
      }
#pragma unroll
      for (int c = 4 * T::VECTORS; c < T::OC; c++) {
        y[c] = row[T::TX * c + tx];
      }
#pragma unroll
      for (int i = 0; i < T::TM; i++) {
        float x = e == 0 ? p[i].x : e == 1 ? p[i].y : e == 2 ? p[i].z : p[i].w;
#pragma unroll
        for (int c = 0; c < T::OC; c++) {
          o[i][c] += x * y[c];
        }
      }
    }
  }
}

/** Joins the TX threads of a row. */
template <class T>
__device__ __forceinline__ float row_max(float x) {
#pragma unroll
  for (int offset = T::TX / 2; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(FULL_WARP, x, offset));
  }
  return x;
}

template <class T>
__device__ __forceinline__ float row_sum(float x) {
#pragma unroll
  for (int offset = T::TX / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(FULL_WARP, x, offset);
  }
  return x;
}

/**
 * out and lse of ROWS queries. The online softmax keeps the largest score so far and the sum of exp(score - largest) of
 * each query; when the largest grows, what was summed with the old one shrinks by exp(old - new).
 */
template <class T>
__device__ __forceinline__ void attention_forward(float* out, float* lse, const float* q, const float* k,
    const float* v, int queries, int keys, int heads, int headDim, float scale, int causal) {
  DYN_SHARED(float, shared);
  float* qs = shared;
  float* ks = qs + T::ROWS * T::LD;
  float* vs = ks + T::COLS * T::LD;
  float* pieces = vs + T::COLS * T::LD;
  int tx = threadIdx.x % T::TX;
  int ty = threadIdx.x / T::TX;
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(queries, heads, headDim) + (long long)first * stride;
  k += head_start(keys, heads, headDim);
  v += head_start(keys, heads, headDim);
  float scale2 = scale * LOG2E;

  float o[T::TM][T::OC];
  float largest[T::TM];
  float sum[T::TM];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    largest[i] = -infinity();
    sum[i] = 0;
#pragma unroll
    for (int c = 0; c < T::OC; c++) {
      o[i][c] = 0;
    }
  }

  load_tokens<T, T::ROWS>(qs, q + start, stride, queries - first, headDim);
  int end = causal ? min(keys, first + T::ROWS) : keys;
  for (int key = 0; key < end; key += T::COLS) {
    __syncthreads(); // all have used the tile before
    load_tokens<T, T::COLS>(ks, k + (long long)key * stride, stride, keys - key, headDim);
    load_tokens<T, T::COLS>(vs, v + (long long)key * stride, stride, keys - key, headDim);
    __syncthreads();
    float s[T::TM][T::TN];
    dots<T>(s, qs, ks);
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
      float most = largest[i];
#pragma unroll
      for (int j = 0; j < T::TN; j++) {
        bool visible = is_visible(first + ty + T::TY * i, key + tx + T::TX * j, keys, causal);
        s[i][j] = visible ? s[i][j] : -infinity();
        most = fmaxf(most, s[i][j]);
      }
      most = row_max<T>(most); // finite: the first tile holds key 0, which every query sees
      float shrink = exp2_fast((largest[i] - most) * scale2);
      float shift = -most * scale2;
      largest[i] = most;
      sum[i] *= shrink;
#pragma unroll
      for (int j = 0; j < T::TN; j++) {
        s[i][j] = exp2_fast(s[i][j] * scale2 + shift);
        sum[i] += s[i][j];
      }
#pragma unroll
      for (int c = 0; c < T::OC; c++) {
        o[i][c] *= shrink;
      }
    }
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      float* piece = pieces + j % 2 * T::ROWS * T::TX; // the one before may still be read
      write_piece<T>(piece, s, j);
      __syncwarp();
      accumulate<T>(o, piece, vs + T::TX * j * T::LD);
    }
  }

  float factor[T::TM];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    float total = row_sum<T>(sum[i]);
    factor[i] = 1 / total;
    int query = first + ty + T::TY * i;
    if (tx == 0 && query < queries) {
      lse[row_start(queries, heads) + query] = (largest[i] * scale2 + log2f(total)) * LN2;
    }
  }
  store_tokens<T>(out + start, stride, queries - first, headDim, o, factor);
}

/** dk and dv of ROWS keys, which own the rows: a tile of scores is keys by queries. */
template <class T>
__device__ __forceinline__ void attention_backward_keys(float* dk, float* dv, const float* dOut, const float* q,
    const float* k, const float* v, const float* lse, const float* delta, int queries, int keys, int heads, int headDim,
    float scale, int causal) {
  DYN_SHARED(float, shared);
  float* ks = shared;
  float* vs = ks + T::ROWS * T::LD;
  float* qs = vs + T::ROWS * T::LD;
  float* dos = qs + T::COLS * T::LD;
  float* pPiece = dos + T::COLS * T::LD;
  float* dsPiece = pPiece + T::ROWS * T::TX;
  int tx = threadIdx.x % T::TX;
  int ty = threadIdx.x / T::TX;
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(keys, heads, headDim) + (long long)first * stride;
  q += head_start(queries, heads, headDim);
  dOut += head_start(queries, heads, headDim);
  lse += row_start(queries, heads);
  delta += row_start(queries, heads);
  float scale2 = scale * LOG2E;

  float dkSum[T::TM][T::OC];
  float dvSum[T::TM][T::OC];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
#pragma unroll
    for (int c = 0; c < T::OC; c++) {
      dkSum[i][c] = 0;
      dvSum[i][c] = 0;
    }
  }

  load_tokens<T, T::ROWS>(ks, k + start, stride, keys - first, headDim);
  load_tokens<T, T::ROWS>(vs, v + start, stride, keys - first, headDim);
  for (int query = causal ? first / T::COLS * T::COLS : 0; query < queries; query += T::COLS) {
    __syncthreads(); // all have used the tile before
    load_tokens<T, T::COLS>(qs, q + (long long)query * stride, stride, queries - query, headDim);
    load_tokens<T, T::COLS>(dos, dOut + (long long)query * stride, stride, queries - query, headDim);
    __syncthreads();
    float p[T::TM][T::TN];
    float ds[T::TM][T::TN];
    dots<T>(p, ks, qs);
    dots<T>(ds, vs, dos);
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      int column = query + tx + T::TX * j;
      bool exists = column < queries;
      float shift = exists ? -lse[column] * LOG2E : 0;
      float expected = exists ? delta[column] : 0;
#pragma unroll
      for (int i = 0; i < T::TM; i++) {
        bool visible = exists && is_visible(column, first + ty + T::TY * i, keys, causal);
        p[i][j] = visible ? exp2_fast(p[i][j] * scale2 + shift) : 0;
        ds[i][j] = p[i][j] * (ds[i][j] - expected);
      }
    }
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      write_piece<T>(pPiece, p, j);
      write_piece<T>(dsPiece, ds, j);
      __syncwarp();
      accumulate<T>(dvSum, pPiece, dos + T::TX * j * T::LD);
      accumulate<T>(dkSum, dsPiece, qs + T::TX * j * T::LD);
      __syncwarp(); // before the next piece takes its place
    }
  }

  float scales[T::TM];
  float ones[T::TM];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    scales[i] = scale;
    ones[i] = 1;
  }
  store_tokens<T>(dk + start, stride, keys - first, headDim, dkSum, scales);
  store_tokens<T>(dv + start, stride, keys - first, headDim, dvSum, ones);
}

/** dq of ROWS queries. */
template <class T>
__device__ __forceinline__ void attention_backward_queries(float* dq, const float* dOut, const float* q, const float* k,
    const float* v, const float* lse, const float* delta, int queries, int keys, int heads, int headDim, float scale,
    int causal) {
  DYN_SHARED(float, shared);
  float* qs = shared;
  float* dos = qs + T::ROWS * T::LD;
  float* ks = dos + T::ROWS * T::LD;
  float* vs = ks + T::COLS * T::LD;
  float* pieces = vs + T::COLS * T::LD;
  int tx = threadIdx.x % T::TX;
  int ty = threadIdx.x / T::TX;
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(queries, heads, headDim) + (long long)first * stride;
  k += head_start(keys, heads, headDim);
  v += head_start(keys, heads, headDim);
  float scale2 = scale * LOG2E;

  float sum[T::TM][T::OC];
  float shift[T::TM];
  float expected[T::TM];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    int query = first + ty + T::TY * i;
    bool exists = query < queries;
    shift[i] = exists ? -lse[row_start(queries, heads) + query] * LOG2E : 0;
    expected[i] = exists ? delta[row_start(queries, heads) + query] : 0;
#pragma unroll
    for (int c = 0; c < T::OC; c++) {
      sum[i][c] = 0;
    }
  }

  load_tokens<T, T::ROWS>(qs, q + start, stride, queries - first, headDim);
  load_tokens<T, T::ROWS>(dos, dOut + start, stride, queries - first, headDim);
  int end = causal ? min(keys, first + T::ROWS) : keys;
  for (int key = 0; key < end; key += T::COLS) {
    __syncthreads(); // all have used the tile before
    load_tokens<T, T::COLS>(ks, k + (long long)key * stride, stride, keys - key, headDim);
    load_tokens<T, T::COLS>(vs, v + (long long)key * stride, stride, keys - key, headDim);
    __syncthreads();
    float s[T::TM][T::TN];
    float ds[T::TM][T::TN];
    dots<T>(s, qs, ks);
    dots<T>(ds, dos, vs);
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
#pragma unroll
      for (int j = 0; j < T::TN; j++) {
        bool visible = is_visible(first + ty + T::TY * i, key + tx + T::TX * j, keys, causal);
        float p = visible ? exp2_fast(s[i][j] * scale2 + shift[i]) : 0;
        ds[i][j] = p * (ds[i][j] - expected[i]);
      }
    }
#pragma unroll
    for (int j = 0; j < T::TN; j++) {
      float* piece = pieces + j % 2 * T::ROWS * T::TX; // the one before may still be read
      write_piece<T>(piece, ds, j);
      __syncwarp();
      accumulate<T>(sum, piece, ks + T::TX * j * T::LD);
    }
  }

  float scales[T::TM];
#pragma unroll
  for (int i = 0; i < T::TM; i++) {
    scales[i] = scale;
  }
  store_tokens<T>(dq + start, stride, queries - first, headDim, sum, scales);
}

// One launch of grid (tiles of rows, heads, samples) for each size of a head. The tiles let two blocks share the
// 100 KiB of shared memory that the smallest multiprocessors since sm_80 have; AttentionTile in Java has the same
// numbers.

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_40(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<40, 128, 32, 8>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_64(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<64, 64, 32, 8>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_80(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<80, 64, 32, 8>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_160(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<160, 32, 16, 8>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_40(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<40, 64, 32, 8>>(dk, dv, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_64(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<64, 64, 16, 8>>(dk, dv, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_80(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<80, 32, 32, 16>>(dk, dv, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_160(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<160, 16, 16, 16>>(dk, dv, dOut, q, k, v, lse, delta, queries, keys, heads, headDim,
      scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_40(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<40, 64, 32, 8>>(dq, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_64(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<64, 64, 16, 8>>(dq, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_80(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<80, 32, 32, 16>>(dq, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_160(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<160, 16, 16, 16>>(dq, dOut, q, k, v, lse, delta, queries, keys, heads, headDim, scale,
      causal);
}
