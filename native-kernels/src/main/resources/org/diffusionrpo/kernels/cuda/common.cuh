// Text in front of every kernel source. It goes through nvcc, through NVRTC, which has no headers, and through g++ for
// the emulated device (CUDA_EMU): so there is no #include, and 16-bit floats are unsigned short.
//
// Every sum has one order, so results are equal to the last bit on repetition: there are no atomics, and the cut of the
// work depends on the sizes alone. Indices of elements are long long.

#ifdef CUDA_EMU
#define DYN_SHARED(T, name) T* name = (T*)emu_dynamic_smem()
#else
#define DYN_SHARED(T, name) \
  extern __shared__ __align__(16) unsigned char name##_bytes[]; \
  T* name = (T*)name##_bytes
#endif

#define FULL_WARP 0xffffffffu

// ---- 16-bit floats, rounded to nearest even ----

__device__ __forceinline__ float bf16_to_float(unsigned short h) {
  return __uint_as_float((unsigned)h << 16);
}

__device__ __forceinline__ unsigned short float_to_bf16(float f) {
  unsigned bits = __float_as_uint(f);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (unsigned short)((bits >> 16) | 0x40u);  // the rounding below could carry a NaN into infinity
  }
  return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ __forceinline__ float half_to_float(unsigned short h) {
#ifdef CUDA_EMU
  return emu_half_to_float(h);
#else
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
  return f;
#endif
}

__device__ __forceinline__ unsigned short float_to_half(float f) {
#ifdef CUDA_EMU
  return emu_float_to_half(f);
#else
  unsigned short h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
  return h;
#endif
}

// ---- four floats at once ----

__device__ __forceinline__ float4 four(float v) {
  return make_float4(v, v, v, v);
}

__device__ __forceinline__ float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

__device__ __forceinline__ float4 operator-(float4 a, float4 b) {
  return make_float4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w);
}

__device__ __forceinline__ float4 operator*(float4 a, float4 b) {
  return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}

__device__ __forceinline__ float4 operator*(float4 a, float b) {
  return make_float4(a.x * b, a.y * b, a.z * b, a.w * b);
}

/** a * b + c. */
__device__ __forceinline__ float4 multiply_add(float4 a, float4 b, float4 c) {
  return make_float4(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y), fmaf(a.z, b.z, c.z), fmaf(a.w, b.w, c.w));
}

__device__ __forceinline__ float sum4(float4 a) {
  return (a.x + a.y) + (a.z + a.w);
}

/** The first `valid` components, zeros in the others. */
__device__ __forceinline__ float4 first_of(float4 v, int valid) {
  return make_float4(valid > 0 ? v.x : 0.0f, valid > 1 ? v.y : 0.0f, valid > 2 ? v.z : 0.0f, valid > 3 ? v.w : 0.0f);
}

/** True when p may be read as float4. */
__device__ __forceinline__ bool aligned16(const void* p) {
  return ((unsigned long long)p & 15) == 0;
}

__device__ __forceinline__ bool aligned8(const void* p) {
  return ((unsigned long long)p & 7) == 0;
}

/** Four elements from p on, of which `valid` exist (zeros for the others); `vector`: all four do, and p is aligned. */
__device__ __forceinline__ float4 load4(const float* p, int valid, bool vector) {
  if (vector) {
    return *(const float4*)p;
  }
  float4 v = four(0.0f);
  if (valid > 0) v.x = p[0];
  if (valid > 1) v.y = p[1];
  if (valid > 2) v.z = p[2];
  if (valid > 3) v.w = p[3];
  return v;
}

__device__ __forceinline__ void store4(float* p, float4 v, int valid, bool vector) {
  if (vector) {
    *(float4*)p = v;
    return;
  }
  if (valid > 0) p[0] = v.x;
  if (valid > 1) p[1] = v.y;
  if (valid > 2) p[2] = v.z;
  if (valid > 3) p[3] = v.w;
}

// ---- indices ----

/** The number of this thread in the grid. */
__device__ __forceinline__ long long thread_index() {
  return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}

/** Threads of the grid along x: the step of a loop over all elements. */
__device__ __forceinline__ long long thread_count() {
  return (long long)gridDim.x * blockDim.x;
}

/** i / d of numbers that are not negative. A 64-bit division costs several 32-bit ones, so only large i take it. */
__device__ __forceinline__ long long quotient(long long i, int d) {
  return i <= 0x7fffffff ? (long long)((unsigned)i / (unsigned)d) : i / d;
}

// ---- elementwise loops: four elements a thread where every pointer is aligned ----
// A thread reads its elements before it writes them and no other thread touches them, so y may be an input. Loops over
// the rest are not unrolled: they are short, or the pointers are not those of whole buffers.

/** y[i] = f(a[i]). */
template <class F>
__device__ __forceinline__ void map(float* y, const float* a, long long n, F f) {
  long long quads = aligned16(y) && aligned16(a) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 v = ((const float4*)a)[i];
    ((float4*)y)[i] = make_float4(f(v.x), f(v.y), f(v.z), f(v.w));
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    y[i] = f(a[i]);
  }
}

/** y[i] = f(a[i], b[i]). */
template <class F>
__device__ __forceinline__ void map(float* y, const float* a, const float* b, long long n, F f) {
  long long quads = aligned16(y) && aligned16(a) && aligned16(b) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 u = ((const float4*)a)[i];
    float4 v = ((const float4*)b)[i];
    ((float4*)y)[i] = make_float4(f(u.x, v.x), f(u.y, v.y), f(u.z, v.z), f(u.w, v.w));
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    y[i] = f(a[i], b[i]);
  }
}

// ---- sums over a warp and a block ----

/** The sum over the warp, with equal bits in every lane. */
template <class T>
__device__ __forceinline__ T warp_sum(T v) {
  for (int distance = 16; distance > 0; distance >>= 1) {
    v += __shfl_xor_sync(FULL_WARP, v, distance);
  }
  return v;
}

/** The sum over the block, in every thread. All threads call it; scratch is shared and has 32 elements. */
template <class T>
__device__ __forceinline__ T block_sum(T v, T* scratch) {
  int lane = threadIdx.x & 31;
  v = warp_sum(v);
  __syncthreads();  // scratch may still be read by the call before
  if (lane == 0) {
    scratch[threadIdx.x >> 5] = v;
  }
  __syncthreads();
  return warp_sum(lane < (int)(blockDim.x >> 5) ? scratch[lane] : T(0));
}

/** The largest value of the block, in every thread. All threads call it; scratch is shared and has 32 elements. */
template <class T>
__device__ __forceinline__ T block_max(T v, T* scratch) {
  int lane = threadIdx.x & 31;
  for (int distance = 16; distance > 0; distance >>= 1) {
    v = max(v, __shfl_xor_sync(FULL_WARP, v, distance));
  }
  __syncthreads();
  if (lane == 0) {
    scratch[threadIdx.x >> 5] = v;
  }
  __syncthreads();
  for (int warp = 0; warp < (int)(blockDim.x >> 5); warp++) {
    v = max(v, scratch[warp]);
  }
  return v;
}

// ---- matrices [samples, rows, columns] in tiles ----
// A block of 256 threads covers 64 columns, four to a thread, and 16 rows at a time of one chunk of rows. Along x,
// blocks count the tiles of columns and then the chunks; samples are strided by gridDim.y.

struct ColumnTile {
  int chunk;
  int chunks;       // of all rows
  int blockColumn;  // the first column of the block
  int column;       // the first of the thread's four
  int valid;        // how many of them exist; 0 or less: none
  int row;          // the thread's first row, in its chunk
  int end;          // the end of the chunk, or 0 for a thread without columns
};

__device__ __forceinline__ ColumnTile column_tile(int rows, int columns, int chunkRows) {
  int tiles = (columns - 1) / 64 + 1;
  ColumnTile tile;
  tile.chunk = blockIdx.x / tiles;
  tile.chunks = (rows - 1) / chunkRows + 1;
  tile.blockColumn = (blockIdx.x - tile.chunk * tiles) * 64;
  tile.column = tile.blockColumn + (threadIdx.x & 15) * 4;
  tile.valid = columns - tile.column;
  int first = tile.chunk * chunkRows;
  tile.row = first + (threadIdx.x >> 4);
  tile.end = tile.valid > 0 ? min(chunkRows, rows - first) + first : 0;
  return tile;
}

/** Rows of a chunk: all of chunkRows but in the last one. */
__device__ __forceinline__ int rows_of_chunk(int chunk, int rows, int chunkRows) {
  return min(chunkRows, rows - chunk * chunkRows);
}

/**
 * Adds up the columns of a tile over its 16 row threads: thread t < 64 gets the sum of the tile's column t. All threads
 * call it; scratch is shared and has 512 elements.
 */
__device__ __forceinline__ float tile_sum(float4 v, float* scratch) {
  v.x += __shfl_xor_sync(FULL_WARP, v.x, 16);
  v.y += __shfl_xor_sync(FULL_WARP, v.y, 16);
  v.z += __shfl_xor_sync(FULL_WARP, v.z, 16);
  v.w += __shfl_xor_sync(FULL_WARP, v.w, 16);
  int lane = threadIdx.x & 31;
  int warp = threadIdx.x >> 5;
  __syncthreads();  // scratch may still be read by the call before
  if (lane < 16) {
    float* to = scratch + warp * 64 + lane * 4;
    to[0] = v.x;
    to[1] = v.y;
    to[2] = v.z;
    to[3] = v.w;
  }
  __syncthreads();
  float sum = 0.0f;
  if (threadIdx.x < 64) {
    for (int w = 0; w < 8; w++) {
      sum += scratch[w * 64 + threadIdx.x];
    }
  }
  return sum;
}

/**
 * The sum of parts[0], parts[stride], ... (count of them) in a block of 32 columns by 8 threads: the threads of the
 * first warp get the total of their column. All threads call it; scratch is shared and has 256 elements.
 */
__device__ __forceinline__ double parts_sum(const float* parts, long long stride, int count, bool exists,
    double* scratch) {
  double sum = 0.0;
  if (exists) {
    for (int i = threadIdx.x >> 5; i < count; i += 8) {
      sum += parts[i * stride];
    }
  }
  __syncthreads();  // scratch may still be read by the call before
  scratch[threadIdx.x] = sum;
  __syncthreads();
  double total = 0.0;
  if (threadIdx.x < 32) {
    for (int w = 0; w < 8; w++) {
      total += scratch[w * 32 + threadIdx.x];
    }
  }
  return total;
}

// ---- activations ----

__device__ __forceinline__ float sigmoid(float x) {
  return 1.0f / (1.0f + expf(-x));
}

/** x sigmoid(x). */
__device__ __forceinline__ float silu(float x) {
  return x * sigmoid(x);
}

__device__ __forceinline__ float silu_slope(float x) {
  float s = sigmoid(x);
  return s > 0.0f && s < 1.0f ? s * fmaf(x, 1.0f - s, 1.0f) : s;  // no 0 * infinity for an x out of range
}

/** The normal distribution function Phi(x). By erfc, since 1 + erf would cancel where x is negative. */
__device__ __forceinline__ float normal_distribution(float x) {
  return 0.5f * erfcf(x * -0.70710678f);
}

/** x Phi(x). */
__device__ __forceinline__ float gelu(float x) {
  return x * normal_distribution(x);
}

/** Phi(x) + x phi(x). */
__device__ __forceinline__ float gelu_slope(float x) {
  return fmaf(x * 0.39894228f, expf(-0.5f * x * x), normal_distribution(x));
}

// ---- attention: tensors [samples, tokens, heads * headDim]; head and sample of a block: blockIdx.y, blockIdx.z ----

#define LOG2E 1.4426950408889634f
#define LN2 0.6931471805599453f

/** NVRTC has no INFINITY. */
__device__ __forceinline__ float infinity() {
  return __uint_as_float(0x7f800000u);
}

/** 2^x to 2^-22; results below 2^-126 are zero. */
__device__ __forceinline__ float exp2_fast(float x) {
#ifdef CUDA_EMU
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

/** Where the block's head begins in a tensor of so many tokens. */
__device__ __forceinline__ long long head_start(int tokens, int heads, int headDim) {
  return ((long long)blockIdx.z * tokens * heads + blockIdx.y) * headDim;
}

/** Where the block's head begins in [samples, heads, queries]. */
__device__ __forceinline__ long long row_start(int queries, int heads) {
  return ((long long)blockIdx.z * heads + blockIdx.y) * queries;
}
