// Conversion between float and the 16-bit formats, rounded to nearest even, and the scales that keep fp16 in range.

/** y[i] = encode(x[i]): float to 16 bits. */
template <class F>
__device__ __forceinline__ void narrow(unsigned short* y, const float* x, long long n, F encode) {
  long long quads = aligned8(y) && aligned16(x) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 v = ((const float4*)x)[i];
    uint2 packed;
    packed.x = encode(v.x) | (unsigned)encode(v.y) << 16;
    packed.y = encode(v.z) | (unsigned)encode(v.w) << 16;
    ((uint2*)y)[i] = packed;
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    y[i] = encode(x[i]);
  }
}

/** y[i] = decode(x[i]): 16 bits to float. */
template <class F>
__device__ __forceinline__ void widen(float* y, const unsigned short* x, long long n, F decode) {
  long long quads = aligned16(y) && aligned8(x) ? n / 4 : 0;
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    uint2 packed = ((const uint2*)x)[i];
    ((float4*)y)[i] = make_float4(decode((unsigned short)packed.x), decode((unsigned short)(packed.x >> 16)),
        decode((unsigned short)packed.y), decode((unsigned short)(packed.y >> 16)));
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    y[i] = decode(x[i]);
  }
}

extern "C" __global__ void __launch_bounds__(256) to_bf16(unsigned short* __restrict__ y,
    const float* __restrict__ x, long long n) {
  narrow(y, x, n, [](float v) { return float_to_bf16(v); });
}

extern "C" __global__ void __launch_bounds__(256) to_fp16(unsigned short* __restrict__ y,
    const float* __restrict__ x, long long n) {
  narrow(y, x, n, [](float v) { return float_to_half(v); });
}

extern "C" __global__ void __launch_bounds__(256) from_bf16(float* __restrict__ y,
    const unsigned short* __restrict__ x, long long n) {
  widen(y, x, n, [](unsigned short v) { return bf16_to_float(v); });
}

extern "C" __global__ void __launch_bounds__(256) from_fp16(float* __restrict__ y,
    const unsigned short* __restrict__ x, long long n) {
  widen(y, x, n, [](unsigned short v) { return half_to_float(v); });
}

// ---- scaled fp16: each operand of a product is brought to [0.5, 1) by a power of two, which costs no digits ----

/** parts[block] = the largest bit pattern of |x|: patterns are ordered as magnitudes are, NaN above infinity. */
extern "C" __global__ void __launch_bounds__(256) amax_parts(unsigned* __restrict__ parts, const float* __restrict__ x,
    long long n) {
  __shared__ unsigned scratch[32];
  unsigned largest = 0;
  long long quads = aligned16(x) ? n / 4 : 0;
#pragma unroll 4
  for (long long i = thread_index(); i < quads; i += thread_count()) {
    float4 v = ((const float4*)x)[i];
    unsigned xy = max(__float_as_uint(fabsf(v.x)), __float_as_uint(fabsf(v.y)));
    unsigned zw = max(__float_as_uint(fabsf(v.z)), __float_as_uint(fabsf(v.w)));
    largest = max(largest, max(xy, zw));
  }
#pragma unroll 1
  for (long long i = 4 * quads + thread_index(); i < n; i += thread_count()) {
    largest = max(largest, __float_as_uint(fabsf(x[i])));
  }
  largest = block_max(largest, scratch);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = largest;
  }
}

/** The bounds keep the inverse of a scale a normal number. */
#define LARGEST_SCALE_EXPONENT 126

/** 2^-(e + 1) for an amax in [2^e, 2^(e + 1)), so that amax * scale is in [0.5, 1); 1 for zero, infinity and NaN. */
__device__ __forceinline__ float power_of_two_scale_of(float amax) {
  unsigned bits = __float_as_uint(amax) & 0x7fffffffu;
  if (bits == 0 || bits >= 0x7f800000u) {
    return 1.0f;
  }
  int exponent = (int)(bits >> 23) - 127;  // -127, which the bound takes care of, for values below 2^-126
  int scale = max(-LARGEST_SCALE_EXPONENT, min(LARGEST_SCALE_EXPONENT, -(exponent + 1)));
  return __uint_as_float((unsigned)(scale + 127) << 23);
}

/** scale = the power of two of the largest part. One block. */
extern "C" __global__ void __launch_bounds__(256) scale_of_parts(float* __restrict__ scale,
    const unsigned* __restrict__ parts, int count) {
  __shared__ unsigned scratch[32];
  unsigned largest = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    largest = max(largest, parts[i]);
  }
  largest = block_max(largest, scratch);
  if (threadIdx.x == 0) {
    *scale = power_of_two_scale_of(__uint_as_float(largest));
  }
}

/** y = fp16(x * *scale). */
extern "C" __global__ void __launch_bounds__(256) to_fp16_scaled(unsigned short* __restrict__ y,
    const float* __restrict__ x, const float* __restrict__ scale, long long n) {
  float s = *scale;
  narrow(y, x, n, [s](float v) { return float_to_half(v * s); });
}

/** 1 / (a b) of two powers of two, also where a b is out of range. */
__device__ __forceinline__ float inverse_of_product(const float* scaleA, const float* scaleB) {
  int a = (int)(__float_as_uint(*scaleA) >> 23) - 127;
  int b = (int)(__float_as_uint(*scaleB) >> 23) - 127;
  return ldexpf(1.0f, -(a + b));
}

/** y = x / (scaleA scaleB) of fp16 values, for scales that are powers of two. */
extern "C" __global__ void __launch_bounds__(256) from_fp16_unscaled(float* __restrict__ y,
    const unsigned short* __restrict__ x, const float* __restrict__ scaleA, const float* __restrict__ scaleB,
    long long n) {
  float s = inverse_of_product(scaleA, scaleB);
  widen(y, x, n, [s](unsigned short v) { return half_to_float(v) * s; });
}
