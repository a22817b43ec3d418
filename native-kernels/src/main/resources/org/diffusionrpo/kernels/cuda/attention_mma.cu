// target: compute_80 ptx 7.0
// Attention on tensor cores: the arithmetic of attention.cu with operands rounded to bf16 or fp16, fp32 sums and fp32
// softmax. FlashAttention-2, Dao 2023, arXiv:2307.08691. Tensors are fp32 in memory and are rounded on their way to
// registers and shared memory. headDim is a multiple of 4 and tensors begin at multiples of 16 bytes, so that four
// features are one load.
//
// All products are mma.m16n8k16 (PTX ISA, "Matrix fragments for mma.m16n8k16"): a warp multiplies A [16, 16] by
// B [16, 8] and adds C [16, 8], each spread over its 32 lanes. With g = lane / 4 and t = lane % 4, and a word being two
// numbers, the lower index in the lower half:
//
//   A  a0 = (row g, k 2t and 2t+1)   a1 = (row g+8, same k)   a2 = (row g, k 2t+8 and 2t+9)   a3 = (row g+8, those k)
//   B  b0 = (k 2t and 2t+1, column g)    b1 = (k 2t+8 and 2t+9, column g)
//   C  c0, c1 = (row g, columns 2t and 2t+1)    c2, c3 = (row g+8, same columns)
//
// A warp owns 16 M tokens, the rows; the block meets the tokens of the other side COLS at a time. Three facts save all
// shuffles between the two products of attention.cu:
//
// - C of two neighbouring tiles of scores, rounded, is A of the product that follows: the same lanes hold it.
// - The order of a sum is free: k 2t, 2t+1, 2t+8, 2t+9 of a step of 16 stand for the features 4t .. 4t+3. So a lane
//   loads its part of A from memory as a float4, and its part of B from shared memory as one 8-byte word ("rows").
// - So is the order of columns: the columns g of an even and an odd tile of features stand for 2g and 2g+1 of their 16.
//   So B of both is one 8-byte load from words of two neighbouring tokens ("pairs"), and C of both is a float4 of y.
//
// Distances of rows and of pairs are 8 times an odd number of words, which keeps those loads free of bank conflicts.
// Tiles are double-buffered, with one barrier each: a warp loads the next tile before it computes with this one.

/** Two numbers in one word. sm_75 has no bf16: the host does not launch those kernels there. */
template <bool BF16>
__device__ __forceinline__ unsigned pack(float low, float high) {
#ifdef CUDA_EMU
  return BF16 ? float_to_bf16(low) | (unsigned)float_to_bf16(high) << 16
              : float_to_half(low) | (unsigned)float_to_half(high) << 16;
#else
  unsigned word;
#if __CUDA_ARCH__ >= 800
  if (BF16) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  }
#else
  asm("{\n .reg .b16 low, high;\n cvt.rn.f16.f32 low, %1;\n cvt.rn.f16.f32 high, %2;\n mov.b32 %0, {low, high};\n}"
      : "=r"(word) : "f"(low), "f"(high));
#endif
  return word;
#endif
}

/** C += A B. sm_75 multiplies in two steps of eight, whose fragments are the halves of these. */
template <bool BF16>
__device__ __forceinline__ void mma(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#ifdef CUDA_EMU
#if __CUDA_ARCH__ >= 800
  unsigned b[2] = {b0, b1};
  emu_mma_m16n8k16(c, a, b, c, BF16);
#else
  emu_mma_m16n8k8_f16(c, a, b0, c);
  emu_mma_m16n8k8_f16(c, a + 2, b1, c);
#endif
#elif __CUDA_ARCH__ >= 800
  if (BF16) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
#else
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(b0));
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

/**
 * Shapes of one launch; HEAD is headDim or the next larger size. With SPLIT = 2, two warps compute the same scores and
 * sum up one half of the features each, where the sums of all would not fit into registers.
 */
template <bool BF16_, int HEAD, int M_, int COLS_, int SPLIT>
struct Tile {
  static constexpr bool BF16 = BF16_;
  static constexpr int THREADS = 128;
  static constexpr int D = HEAD;
  static constexpr int M = M_;
  static constexpr int COLS = COLS_;
  static constexpr int ROWS = 64 * M / SPLIT;
  /** Products of a dot product: steps of 16 features. */
  static constexpr int STEPS = (HEAD + 15) / 16;
  /** Tiles of scores. */
  static constexpr int NS = COLS / 8;
  /** Tiles of features that a warp sums up. */
  static constexpr int NF = HEAD / 8 / SPLIT;
  static constexpr int ROW_WORDS = STEPS % 2 == 1 ? STEPS * 8 : STEPS * 8 + 8;
  static constexpr int PAIR_WORDS = HEAD % 16 == 8 ? HEAD : HEAD + 8;
  /** Words of a tile in either layout. */
  static constexpr int ROWS_SIZE = COLS * ROW_WORDS;
  static constexpr int PAIRS_SIZE = COLS / 2 * PAIR_WORDS;

  /** First of this warp's rows in the block. */
  static __device__ __forceinline__ int row() { return threadIdx.x / 32 / SPLIT * 16 * M; }
  /** First feature that this warp sums up. */
  static __device__ __forceinline__ int feature() { return threadIdx.x / 32 % SPLIT * (HEAD / SPLIT); }
};

__device__ __forceinline__ int lane_group() { return threadIdx.x % 32 / 4; }
__device__ __forceinline__ int lane_in_group() { return threadIdx.x % 4; }

/** factor times the features d .. d + 3 of a token; zeros from headDim on, or where there is no token. */
__device__ __forceinline__ float4 load_features(const float* __restrict__ token, bool exists, int d, int headDim,
    float factor) {
  return exists && d < headDim ? *(const float4*)(token + d) * factor : four(0);
}

/** The warp's rows as left operand of dot products. x is the block's first row, of which `count` exist. */
template <class T>
__device__ __forceinline__ void load_left(unsigned (&a)[T::M][T::STEPS][4], const float* __restrict__ x, int stride,
    int count, int headDim, float factor) {
#pragma unroll
  for (int m = 0; m < T::M; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = T::row() + 16 * m + 8 * half + lane_group();
#pragma unroll
      for (int step = 0; step < T::STEPS; step++) {
        int d = 16 * step + 4 * lane_in_group();
        float4 f = load_features(x + row * stride, row < count, d, headDim, factor);
        a[m][step][half] = pack<T::BF16>(f.x, f.y);
        a[m][step][half + 2] = pack<T::BF16>(f.z, f.w);
      }
    }
  }
}

/**
 * COLS tokens to shared memory: rows [COLS][ROW_WORDS], whose words are two features of a token, and pairs
 * [COLS / 2][PAIR_WORDS], whose words are two tokens at one feature. `count` of them exist.
 */
template <class T, bool WITH_ROWS, bool WITH_PAIRS>
__device__ __forceinline__ void load_tile(unsigned* rows, unsigned* pairs, const float* __restrict__ x, int stride,
    int count, int headDim, float factor) {
  constexpr int GROUPS = WITH_ROWS ? T::STEPS * 4 : T::D / 4;
#pragma unroll 2
  for (int i = threadIdx.x; i < T::COLS / 2 * GROUPS; i += T::THREADS) {
    int pair = i / GROUPS;
    int d = i % GROUPS * 4;
    const float* token = x + 2 * pair * stride;
    float4 a = load_features(token, 2 * pair < count, d, headDim, factor);
    float4 b = load_features(token + stride, 2 * pair + 1 < count, d, headDim, factor);
    if (WITH_ROWS) {
      unsigned* to = rows + 2 * pair * T::ROW_WORDS + d / 2;
      *(uint2*)to = make_uint2(pack<T::BF16>(a.x, a.y), pack<T::BF16>(a.z, a.w));
      *(uint2*)(to + T::ROW_WORDS) = make_uint2(pack<T::BF16>(b.x, b.y), pack<T::BF16>(b.z, b.w));
    }
    if (WITH_PAIRS && d < T::D) {
      *(uint4*)(pairs + pair * T::PAIR_WORDS + d) = make_uint4(pack<T::BF16>(a.x, b.x), pack<T::BF16>(a.y, b.y),
          pack<T::BF16>(a.z, b.z), pack<T::BF16>(a.w, b.w));
    }
  }
}

/** s[row][col] = sum_d a[row][d] b[col][d], b as rows. */
template <class T>
__device__ __forceinline__ void dots(float (&s)[T::M][T::NS][4], const unsigned (&a)[T::M][T::STEPS][4],
    const unsigned* rows) {
  rows += lane_group() * T::ROW_WORDS + 2 * lane_in_group();
#pragma unroll
  for (int n = 0; n < T::NS; n++) {
#pragma unroll
    for (int m = 0; m < T::M; m++) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        s[m][n][c] = 0;
      }
    }
#pragma unroll
    for (int step = 0; step < T::STEPS; step++) {
      uint2 b = *(const uint2*)(rows + 8 * n * T::ROW_WORDS + 8 * step);
#pragma unroll
      for (int m = 0; m < T::M; m++) {
        mma<T::BF16>(s[m][n], a[m][step], b.x, b.y);
      }
    }
  }
}

/** o[row][d] += sum_col p[row][col] b[col][d], b as pairs. */
template <class T>
__device__ __forceinline__ void accumulate(float (&o)[T::M][T::NF][4], const float (&p)[T::M][T::NS][4],
    const unsigned* pairs) {
  pairs += T::feature() + lane_in_group() * T::PAIR_WORDS;
#pragma unroll
  for (int step = 0; step < T::NS / 2; step++) {
    unsigned a[T::M][4];
#pragma unroll
    for (int m = 0; m < T::M; m++) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        const float* two = p[m][2 * step + c / 2] + c % 2 * 2;
        a[m][c] = pack<T::BF16>(two[0], two[1]);
      }
    }
    const unsigned* low = pairs + 8 * step * T::PAIR_WORDS;
    const unsigned* high = low + 4 * T::PAIR_WORDS;
#pragma unroll
    for (int n = 0; n + 1 < T::NF; n += 2) {
      uint2 b0 = *(const uint2*)(low + 8 * n + 2 * lane_group());
      uint2 b1 = *(const uint2*)(high + 8 * n + 2 * lane_group());
#pragma unroll
      for (int m = 0; m < T::M; m++) {
        mma<T::BF16>(o[m][n], a[m], b0.x, b1.x);
        mma<T::BF16>(o[m][n + 1], a[m], b0.y, b1.y);
      }
    }
    if (T::NF % 2 == 1) { // a tile without a partner has its columns in order
#pragma unroll
      for (int m = 0; m < T::M; m++) {
        mma<T::BF16>(o[m][T::NF - 1], a[m], low[8 * (T::NF - 1) + lane_group()], high[8 * (T::NF - 1) + lane_group()]);
      }
    }
  }
}

/** y[row] = factor[row] * o[row], for the block's rows below count. */
template <class T>
__device__ __forceinline__ void store_rows(float* __restrict__ y, int stride, int count, int headDim,
    const float (&o)[T::M][T::NF][4], const float (&factor)[T::M][2]) {
#pragma unroll
  for (int m = 0; m < T::M; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = T::row() + 16 * m + 8 * half + lane_group();
      float f = factor[m][half];
      if (row >= count) {
        continue;
      }
      float* to = y + row * stride;
#pragma unroll
      for (int n = 0; n + 1 < T::NF; n += 2) {
        int d = T::feature() + 8 * n + 4 * lane_in_group();
        if (d < headDim) {
          *(float4*)(to + d) = make_float4(o[m][n][2 * half] * f, o[m][n + 1][2 * half] * f, o[m][n][2 * half + 1] * f,
              o[m][n + 1][2 * half + 1] * f);
        }
      }
      if (T::NF % 2 == 1) {
        int d = T::feature() + 8 * (T::NF - 1) + 2 * lane_in_group();
        if (d < headDim) {
          *(float2*)(to + d) = make_float2(o[m][T::NF - 1][2 * half] * f, o[m][T::NF - 1][2 * half + 1] * f);
        }
      }
    }
  }
}

template <class T>
__device__ __forceinline__ void clear(float (&o)[T::M][T::NF][4]) {
#pragma unroll
  for (int m = 0; m < T::M; m++) {
#pragma unroll
    for (int n = 0; n < T::NF; n++) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        o[m][n][c] = 0;
      }
    }
  }
}

/** Joins the four lanes of a row. */
__device__ __forceinline__ float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(FULL_WARP, x, 1));
  return fmaxf(x, __shfl_xor_sync(FULL_WARP, x, 2));
}

__device__ __forceinline__ float row_sum(float x) {
  x += __shfl_xor_sync(FULL_WARP, x, 1);
  return x + __shfl_xor_sync(FULL_WARP, x, 2);
}

/** out and lse of ROWS queries, with the online softmax of attention.cu. */
template <class T>
__device__ __forceinline__ void attention_forward(float* out, float* lse, const float* q, const float* k,
    const float* v, int queries, int keys, int heads, int headDim, float scale, int causal) {
  constexpr int SIZE = T::ROWS_SIZE + T::PAIRS_SIZE;
  DYN_SHARED(unsigned, shared);
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(queries, heads, headDim) + (long long)first * stride;
  k += head_start(keys, heads, headDim);
  v += head_start(keys, heads, headDim);
  float scale2 = scale * LOG2E;

  unsigned qs[T::M][T::STEPS][4];
  load_left<T>(qs, q + start, stride, queries - first, headDim, 1);
  float o[T::M][T::NF][4];
  clear<T>(o);
  float largest[T::M][2];
  float sum[T::M][2];
#pragma unroll
  for (int m = 0; m < T::M; m++) {
    largest[m][0] = largest[m][1] = -infinity();
    sum[m][0] = sum[m][1] = 0;
  }

  int end = causal ? min(keys, first + T::ROWS) : keys;
  load_tile<T, true, false>(shared, nullptr, k, stride, keys, headDim, 1);
  load_tile<T, false, true>(nullptr, shared + T::ROWS_SIZE, v, stride, keys, headDim, 1);
  int at = 0;
  for (int key = 0; key < end; key += T::COLS, at = SIZE - at) {
    const unsigned* tile = shared + at;
    __syncthreads(); // this tile is complete, and all have used the one before
    int next = key + T::COLS;
    if (next < end) {
      unsigned* other = shared + SIZE - at;
      load_tile<T, true, false>(other, nullptr, k + (long long)next * stride, stride, keys - next, headDim, 1);
      load_tile<T, false, true>(nullptr, other + T::ROWS_SIZE, v + (long long)next * stride, stride, keys - next,
          headDim, 1);
    }
    float s[T::M][T::NS][4];
    dots<T>(s, qs, tile);
    if (next > keys || (causal && next > first)) {
#pragma unroll
      for (int m = 0; m < T::M; m++) {
#pragma unroll
        for (int n = 0; n < T::NS; n++) {
#pragma unroll
          for (int c = 0; c < 4; c++) {
            int column = key + 8 * n + 2 * lane_in_group() + c % 2;
            int query = first + T::row() + 16 * m + 8 * (c / 2) + lane_group();
            s[m][n][c] = column < keys && (!causal || column <= query) ? s[m][n][c] : -infinity();
          }
        }
      }
    }
    float shrink[T::M][2];
    bool grown = false;
#pragma unroll
    for (int m = 0; m < T::M; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float most = largest[m][half];
#pragma unroll
        for (int n = 0; n < T::NS; n++) {
          most = fmaxf(most, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
        }
        most = row_max(most); // finite: the first tile holds key 0, which every query sees
        shrink[m][half] = exp2_fast((largest[m][half] - most) * scale2);
        grown |= shrink[m][half] != 1;
        float shift = -most * scale2;
        largest[m][half] = most;
        sum[m][half] *= shrink[m][half];
#pragma unroll
        for (int n = 0; n < T::NS; n++) {
#pragma unroll
          for (int c = 2 * half; c < 2 * half + 2; c++) {
            s[m][n][c] = exp2_fast(s[m][n][c] * scale2 + shift);
            sum[m][half] += s[m][n][c];
          }
        }
      }
    }
    if (__any_sync(FULL_WARP, grown)) { // rare after the first tiles
#pragma unroll
      for (int m = 0; m < T::M; m++) {
#pragma unroll
        for (int n = 0; n < T::NF; n++) {
#pragma unroll
          for (int c = 0; c < 4; c++) {
            o[m][n][c] *= shrink[m][c / 2];
          }
        }
      }
    }
    accumulate<T>(o, s, tile + T::ROWS_SIZE);
  }

  float factor[T::M][2];
#pragma unroll
  for (int m = 0; m < T::M; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float total = row_sum(sum[m][half]);
      factor[m][half] = 1 / total;
      int query = first + T::row() + 16 * m + 8 * half + lane_group();
      if (lane_in_group() == 0 && T::feature() == 0 && query < queries) {
        lse[row_start(queries, heads) + query] = (largest[m][half] * scale2 + log2f(total)) * LN2;
      }
    }
  }
  store_rows<T>(out + start, stride, queries - first, headDim, o, factor);
}

/** -lse to the base 2, and delta, of COLS queries. Where there is no query, p = 2^-infinity = 0. */
template <class T>
__device__ __forceinline__ void load_statistics(float2* y, const float* __restrict__ lse,
    const float* __restrict__ delta, int count, float factor) {
  for (int i = threadIdx.x; i < T::COLS; i += T::THREADS) {
    y[i] = i < count ? make_float2(-lse[i] * LOG2E, delta[i] * factor) : make_float2(-infinity(), 0);
  }
}

/** A tile of queries as keys meet it: q and dOut in both layouts, and their statistics. */
template <class T>
__device__ __forceinline__ void load_queries(unsigned* tile, const float* q, const float* dOut, const float* lse,
    const float* delta, int stride, int query, int queries, int headDim, float factor) {
  long long at = (long long)query * stride;
  unsigned* second = tile + T::ROWS_SIZE + T::PAIRS_SIZE;
  load_tile<T, true, true>(tile, tile + T::ROWS_SIZE, q + at, stride, queries - query, headDim, 1);
  load_tile<T, true, true>(second, second + T::ROWS_SIZE, dOut + at, stride, queries - query, headDim, factor);
  load_statistics<T>((float2*)(second + T::ROWS_SIZE + T::PAIRS_SIZE), lse + query, delta + query, queries - query,
      factor);
}

/**
 * dk and dv of ROWS keys: a tile of scores is keys by queries. dOut is multiplied by the power of two at dOutScale,
 * where given, and the results are divided by it.
 */
template <class T>
__device__ __forceinline__ void attention_backward_keys(float* dk, float* dv, const float* dOut, const float* q,
    const float* k, const float* v, const float* lse, const float* delta, const float* dOutScale, int queries, int keys,
    int heads, int headDim, float scale, int causal) {
  constexpr int SIZE = 2 * (T::ROWS_SIZE + T::PAIRS_SIZE + T::COLS);
  DYN_SHARED(unsigned, shared);
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(keys, heads, headDim) + (long long)first * stride;
  q += head_start(queries, heads, headDim);
  dOut += head_start(queries, heads, headDim);
  lse += row_start(queries, heads);
  delta += row_start(queries, heads);
  float scale2 = scale * LOG2E;
  float factor = dOutScale == nullptr ? 1 : *dOutScale;

  unsigned ks[T::M][T::STEPS][4];
  unsigned vs[T::M][T::STEPS][4];
  load_left<T>(ks, k + start, stride, keys - first, headDim, 1);
  load_left<T>(vs, v + start, stride, keys - first, headDim, 1);
  float dkSum[T::M][T::NF][4];
  float dvSum[T::M][T::NF][4];
  clear<T>(dkSum);
  clear<T>(dvSum);

  int query = causal ? first / T::COLS * T::COLS : 0;
  load_queries<T>(shared, q, dOut, lse, delta, stride, query, queries, headDim, factor);
  int at = 0;
  for (; query < queries; query += T::COLS, at = SIZE - at) {
    const unsigned* tile = shared + at;
    __syncthreads(); // this tile is complete, and all have used the one before
    if (query + T::COLS < queries) {
      load_queries<T>(shared + SIZE - at, q, dOut, lse, delta, stride, query + T::COLS, queries, headDim, factor);
    }
    const unsigned* second = tile + T::ROWS_SIZE + T::PAIRS_SIZE;
    const float2* statistics = (const float2*)(second + T::ROWS_SIZE + T::PAIRS_SIZE);
    float p[T::M][T::NS][4];
    float ds[T::M][T::NS][4];
    dots<T>(p, ks, tile);
    dots<T>(ds, vs, second);
#pragma unroll
    for (int n = 0; n < T::NS; n++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        int column = 8 * n + 2 * lane_in_group() + e;
        float2 statistic = statistics[column];
#pragma unroll
        for (int m = 0; m < T::M; m++) {
#pragma unroll
          for (int c = e; c < 4; c += 2) {
            p[m][n][c] = exp2_fast(p[m][n][c] * scale2 + statistic.x);
            int key = first + T::row() + 16 * m + 8 * (c / 2) + lane_group();
            if (causal && query < first + T::ROWS && query + column < key) {
              p[m][n][c] = 0;
            }
            ds[m][n][c] = p[m][n][c] * (ds[m][n][c] - statistic.y);
          }
        }
      }
    }
    accumulate<T>(dvSum, p, second + T::ROWS_SIZE);
    accumulate<T>(dkSum, ds, tile + T::ROWS_SIZE);
  }

  float dkFactor[T::M][2];
  float dvFactor[T::M][2];
#pragma unroll
  for (int m = 0; m < T::M; m++) {
    dkFactor[m][0] = dkFactor[m][1] = scale / factor;
    dvFactor[m][0] = dvFactor[m][1] = 1 / factor;
  }
  store_rows<T>(dk + start, stride, keys - first, headDim, dkSum, dkFactor);
  store_rows<T>(dv + start, stride, keys - first, headDim, dvSum, dvFactor);
}

/** A tile of keys as queries meet it in backward: k in both layouts, v as rows. */
template <class T>
__device__ __forceinline__ void load_keys(unsigned* tile, const float* k, const float* v, int stride, int key, int keys,
    int headDim) {
  long long at = (long long)key * stride;
  load_tile<T, true, true>(tile, tile + T::ROWS_SIZE, k + at, stride, keys - key, headDim, 1);
  load_tile<T, true, false>(tile + T::ROWS_SIZE + T::PAIRS_SIZE, nullptr, v + at, stride, keys - key, headDim, 1);
}

/** dq of ROWS queries; dOutScale as in attention_backward_keys. */
template <class T>
__device__ __forceinline__ void attention_backward_queries(float* dq, const float* dOut, const float* q, const float* k,
    const float* v, const float* lse, const float* delta, const float* dOutScale, int queries, int keys, int heads,
    int headDim, float scale, int causal) {
  constexpr int SIZE = 2 * T::ROWS_SIZE + T::PAIRS_SIZE;
  DYN_SHARED(unsigned, shared);
  int stride = heads * headDim;
  int first = blockIdx.x * T::ROWS;
  long long start = head_start(queries, heads, headDim) + (long long)first * stride;
  k += head_start(keys, heads, headDim);
  v += head_start(keys, heads, headDim);
  float scale2 = scale * LOG2E;
  float factor = dOutScale == nullptr ? 1 : *dOutScale;

  unsigned qs[T::M][T::STEPS][4];
  unsigned dos[T::M][T::STEPS][4];
  load_left<T>(qs, q + start, stride, queries - first, headDim, 1);
  load_left<T>(dos, dOut + start, stride, queries - first, headDim, factor);
  float sum[T::M][T::NF][4];
  clear<T>(sum);
  float shift[T::M][2];
  float expected[T::M][2];
#pragma unroll
  for (int m = 0; m < T::M; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int query = first + T::row() + 16 * m + 8 * half + lane_group();
      bool exists = query < queries;
      shift[m][half] = exists ? -lse[row_start(queries, heads) + query] * LOG2E : -infinity();
      expected[m][half] = exists ? delta[row_start(queries, heads) + query] * factor : 0;
    }
  }

  int end = causal ? min(keys, first + T::ROWS) : keys;
  load_keys<T>(shared, k, v, stride, 0, keys, headDim);
  int at = 0;
  for (int key = 0; key < end; key += T::COLS, at = SIZE - at) {
    const unsigned* tile = shared + at;
    __syncthreads(); // this tile is complete, and all have used the one before
    int next = key + T::COLS;
    if (next < end) {
      load_keys<T>(shared + SIZE - at, k, v, stride, next, keys, headDim);
    }
    float s[T::M][T::NS][4];
    float ds[T::M][T::NS][4];
    dots<T>(s, qs, tile);
    dots<T>(ds, dos, tile + T::ROWS_SIZE + T::PAIRS_SIZE);
    bool masked = next > keys || (causal && next > first);
#pragma unroll
    for (int m = 0; m < T::M; m++) {
#pragma unroll
      for (int n = 0; n < T::NS; n++) {
#pragma unroll
        for (int c = 0; c < 4; c++) {
          float p = exp2_fast(s[m][n][c] * scale2 + shift[m][c / 2]);
          if (masked) {
            int column = key + 8 * n + 2 * lane_in_group() + c % 2;
            int query = first + T::row() + 16 * m + 8 * (c / 2) + lane_group();
            p = column < keys && (!causal || column <= query) ? p : 0;
          }
          ds[m][n][c] = p * (ds[m][n][c] - expected[m][c / 2]);
        }
      }
    }
    accumulate<T>(sum, ds, tile + T::ROWS_SIZE);
  }

  float dqFactor[T::M][2];
#pragma unroll
  for (int m = 0; m < T::M; m++) {
    dqFactor[m][0] = dqFactor[m][1] = scale / factor;
  }
  store_rows<T>(dq + start, stride, queries - first, headDim, sum, dqFactor);
}

// One launch of grid (tiles of rows, heads, samples) for each format and size of a head. The number of blocks in
// __launch_bounds__ is what the registers of a multiprocessor allow without spills.

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_f16_40(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<false, 40, 2, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_forward_f16_64(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<false, 64, 2, 64, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_forward_f16_80(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<false, 80, 1, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_forward_f16_160(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<false, 160, 1, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_forward_bf16_40(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<true, 40, 2, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_forward_bf16_64(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<true, 64, 2, 64, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_forward_bf16_80(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<true, 80, 1, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_forward_bf16_160(float* __restrict__ out,
    float* __restrict__ lse, const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
    int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_forward<Tile<true, 160, 1, 32, 1>>(out, lse, q, k, v, queries, keys, heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_f16_40(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<false, 40, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_f16_64(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<false, 64, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_keys_f16_80(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<false, 80, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_keys_f16_160(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<false, 160, 1, 16, 2>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys,
      heads, headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_bf16_40(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<true, 40, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_keys_bf16_64(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<true, 64, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_keys_bf16_80(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<true, 80, 1, 32, 1>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_keys_bf16_160(float* __restrict__ dk,
    float* __restrict__ dv, const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_keys<Tile<true, 160, 1, 16, 2>>(dk, dv, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_backward_queries_f16_40(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<false, 40, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_backward_queries_f16_64(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<false, 64, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_f16_80(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<false, 80, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_queries_f16_160(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<false, 160, 1, 16, 2>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_backward_queries_bf16_40(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<true, 40, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 4) attention_backward_queries_bf16_64(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<true, 64, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 3) attention_backward_queries_bf16_80(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<true, 80, 1, 32, 1>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_backward_queries_bf16_160(float* __restrict__ dq,
    const float* __restrict__ dOut, const float* __restrict__ q, const float* __restrict__ k,
    const float* __restrict__ v, const float* __restrict__ lse, const float* __restrict__ delta,
    const float* __restrict__ dOutScale, int queries, int keys, int heads, int headDim, float scale, int causal) {
  attention_backward_queries<Tile<true, 160, 1, 16, 2>>(dq, dOut, q, k, v, lse, delta, dOutScale, queries, keys, heads,
      headDim, scale, causal);
}
