// The language of CUDA kernels for a host compiler. Put in front of the text of a .cu file; CUDA_EMU is defined then.
#pragma once
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <type_traits>
#include <utility>
#include "abi.h"
#include "emu_calls.h"

#define CUDA_EMU 1

#define __global__ __attribute__((noinline))
#define __device__
#define __host__
#define __forceinline__ inline  // always would make the compiler slow
#define __noinline__ __attribute__((noinline))
#define __constant__ static
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
// Variables without initialiser: they are all that is in .bss, which is renamed to emu_shared after the compilation, so
// that the runtime can fill and check them. (In templates, a section attribute would be ignored.)
#define __shared__ static __attribute__((used, aligned(16)))

constexpr int warpSize = 32;

// ---- vector types ----

#define EMU_VECTORS(T, name, two, four)                           \
  struct name##1 { T x; };                                        \
  struct alignas(two) name##2 { T x, y; };                        \
  struct alignas(four) name##4 { T x, y, z, w; };                 \
  inline name##1 make_##name##1(T x) { return {x}; }              \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }      \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
#define EMU_VECTOR3(T, name) \
  struct name { T x, y, z; }; \
  inline name make_##name(T x, T y, T z) { return {x, y, z}; }
EMU_VECTORS(float, float, 8, 16)
EMU_VECTORS(double, double, 16, 16)
EMU_VECTORS(int, int, 8, 16)
EMU_VECTORS(unsigned, uint, 8, 16)
EMU_VECTORS(short, short, 4, 8)
EMU_VECTORS(unsigned short, ushort, 4, 8)
EMU_VECTORS(signed char, char, 2, 4)
EMU_VECTORS(unsigned char, uchar, 2, 4)
EMU_VECTORS(long long, longlong, 16, 16)
EMU_VECTORS(unsigned long long, ulonglong, 16, 16)
EMU_VECTOR3(float, float3)
EMU_VECTOR3(double, double3)
EMU_VECTOR3(int, int3)
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }

// ---- barriers, votes, shuffles ----

// The line tells barriers apart; the empty asm keeps values of shared variables out of registers across one.
#define __syncthreads() (__extension__({ emu_syncthreads(__LINE__); asm volatile("" ::: "memory"); }))

inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emu_syncwarp(mask);
  asm volatile("" ::: "memory");
}

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

inline unsigned __activemask() { return emu_active_mask(); }
inline unsigned __ballot_sync(unsigned mask, int predicate) { return emu_ballot(mask, predicate); }
inline int __any_sync(unsigned mask, int predicate) { return emu_ballot(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return emu_ballot(mask, !predicate) == 0; }

template <class T>
T emu_exchange(unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = emu_shuffle(mask, bits, source);
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int lane = emu_lane();
  return emu_exchange(mask, value, (lane & ~(width - 1)) | (source & (width - 1)));
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = emu_lane(), inside = (lane & (width - 1)) + static_cast<int>(delta);
  return emu_exchange(mask, value, inside < width ? lane + static_cast<int>(delta) : lane);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = emu_lane(), inside = (lane & (width - 1)) - static_cast<int>(delta);
  return emu_exchange(mask, value, inside >= 0 ? lane - static_cast<int>(delta) : lane);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  int lane = emu_lane(), other = lane ^ bits;
  return emu_exchange(mask, value, other / width <= lane / width ? other & 31 : lane);
}

template <class T, class F>
T emu_reduce(unsigned mask, T value, F join) {
  T result = value;
  bool first = true;
  for (int lane = 0; lane < 32; lane++) {
    if (!(mask >> lane & 1)) continue;
    T other = emu_exchange(mask, value, lane);
    result = first ? other : join(result, other);
    first = false;
  }
  return result;
}

template <class T>
T __reduce_add_sync(unsigned mask, T value) {
  return emu_reduce(mask, value, [](T a, T b) { return a + b; });
}
template <class T>
T __reduce_max_sync(unsigned mask, T value) {
  return emu_reduce(mask, value, [](T a, T b) { return a < b ? b : a; });
}
template <class T>
T __reduce_min_sync(unsigned mask, T value) {
  return emu_reduce(mask, value, [](T a, T b) { return b < a ? b : a; });
}

// ---- atomics: real ones, since blocks may run on several workers ----

template <class T, class F>
__attribute__((no_sanitize("kernel-address"))) T emu_atomic(T* p, F change) {
  emu_atomic_check(p, sizeof(T));
  typename std::conditional<sizeof(T) == 4, uint32_t, uint64_t>::type before, after;
  auto* word = reinterpret_cast<decltype(before)*>(p);
  before = __atomic_load_n(word, __ATOMIC_RELAXED);
  T old;
  do {
    memcpy(&old, &before, sizeof old);
    T changed = change(old);
    memcpy(&after, &changed, sizeof after);
  } while (!__atomic_compare_exchange_n(word, &before, after, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  return old;
}

#define EMU_ATOMIC(name, T, expression) \
  inline T name(T* p, T v) {            \
    return emu_atomic(p, [v](T old) -> T { return expression; }); \
  }
#define EMU_ATOMICS(T)                            \
  EMU_ATOMIC(atomicAdd, T, old + v)               \
  EMU_ATOMIC(atomicExch, T, (static_cast<void>(old), v)) \
  EMU_ATOMIC(atomicMin, T, v < old ? v : old)     \
  EMU_ATOMIC(atomicMax, T, old < v ? v : old)
EMU_ATOMICS(int)
EMU_ATOMICS(unsigned)
EMU_ATOMICS(unsigned long long)
EMU_ATOMIC(atomicAdd, float, old + v)
EMU_ATOMIC(atomicAdd, double, old + v)
EMU_ATOMIC(atomicExch, float, (static_cast<void>(old), v))
EMU_ATOMIC(atomicSub, int, old - v)
EMU_ATOMIC(atomicSub, unsigned, old - v)
EMU_ATOMIC(atomicInc, unsigned, old >= v ? 0 : old + 1)
EMU_ATOMIC(atomicDec, unsigned, old == 0 || old > v ? v : old - 1)
EMU_ATOMIC(atomicAnd, unsigned, old & v)
EMU_ATOMIC(atomicOr, unsigned, old | v)
EMU_ATOMIC(atomicXor, unsigned, old ^ v)

template <class T>
T atomicCAS(T* p, T compare, T v) {
  return emu_atomic(p, [=](T old) { return old == compare ? v : old; });
}

// ---- loads and stores with hints ----

template <class T> T __ldg(const T* p) { return *p; }
template <class T> T __ldcg(const T* p) { return *p; }
template <class T> T __ldca(const T* p) { return *p; }
template <class T> T __ldcs(const T* p) { return *p; }
template <class T> void __stcg(T* p, T v) { *p = v; }
template <class T> void __stcs(T* p, T v) { *p = v; }
template <class T> void __stwb(T* p, T v) { *p = v; }

// ---- bits ----

template <class To, class From>
To emu_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

inline float __uint_as_float(unsigned u) { return emu_bits<float>(u); }
inline unsigned __float_as_uint(float f) { return emu_bits<unsigned>(f); }
inline float __int_as_float(int i) { return emu_bits<float>(i); }
inline int __float_as_int(float f) { return emu_bits<int>(f); }
inline double __longlong_as_double(long long l) { return emu_bits<double>(l); }
inline long long __double_as_longlong(double d) { return emu_bits<long long>(d); }
inline double __hiloint2double(int hi, int lo) {
  return emu_bits<double>(static_cast<uint64_t>(static_cast<uint32_t>(hi)) << 32 | static_cast<uint32_t>(lo));
}
inline int __popc(unsigned u) { return __builtin_popcount(u); }
inline int __popcll(unsigned long long u) { return __builtin_popcountll(u); }
inline int __clz(int i) { return i ? __builtin_clz(static_cast<unsigned>(i)) : 32; }
inline int __clzll(long long i) { return i ? __builtin_clzll(static_cast<unsigned long long>(i)) : 64; }
inline int __ffs(int i) { return __builtin_ffs(i); }
inline unsigned __brev(unsigned u) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) r |= (u >> i & 1) << (31 - i);
  return r;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }
inline int __mulhi(int a, int b) { return static_cast<int>(int64_t{a} * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  uint64_t bytes = uint64_t{b} << 32 | a;
  unsigned r = 0;
  for (int i = 0; i < 4; i++) r |= static_cast<unsigned>(bytes >> (selector >> 4 * i & 7) * 8 & 255) << 8 * i;
  return r;
}
inline unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned n) {
  return static_cast<unsigned>((uint64_t{hi} << 32 | lo) << (n & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned n) {
  return static_cast<unsigned>((uint64_t{hi} << 32 | lo) >> (n & 31));
}

// ---- arithmetic; the host compiler may fuse a * b + c as nvcc does, but not through the _rn functions ----

#define EMU_ROUNDED(name, T, expression) \
  inline T name(T a, T b) {              \
    T r = expression;                    \
    asm("" : "+x"(r));                   \
    return r;                            \
  }
EMU_ROUNDED(__fadd_rn, float, a + b)
EMU_ROUNDED(__fsub_rn, float, a - b)
EMU_ROUNDED(__fmul_rn, float, a * b)
EMU_ROUNDED(__fdiv_rn, float, a / b)
EMU_ROUNDED(__dadd_rn, double, a + b)
EMU_ROUNDED(__dsub_rn, double, a - b)
EMU_ROUNDED(__dmul_rn, double, a * b)
EMU_ROUNDED(__ddiv_rn, double, a / b)
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1.0f / sqrtf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rcbrtf(float x) { return 1.0f / cbrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __tanhf(float x) { return tanhf(x); }
inline void __sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
inline float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678f); }
inline double normcdf(double x) { return 0.5 * erfc(-x * 0.7071067811865476); }
inline float sinpif(float x) { return static_cast<float>(sin(3.141592653589793 * x)); }
inline float cospif(float x) { return static_cast<float>(cos(3.141592653589793 * x)); }
inline void sincospif(float x, float* s, float* c) { *s = sinpif(x), *c = cospif(x); }
inline double sinpi(double x) { return sin(3.141592653589793 * x); }
inline double cospi(double x) { return cos(3.141592653589793 * x); }

inline int __float2int_rn(float x) { return static_cast<int>(rintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline int __float2int_rd(float x) { return static_cast<int>(floorf(x)); }
inline int __float2int_ru(float x) { return static_cast<int>(ceilf(x)); }
inline unsigned __float2uint_rn(float x) { return static_cast<unsigned>(rintf(x)); }
inline unsigned __float2uint_rz(float x) { return static_cast<unsigned>(x); }
inline float __int2float_rn(int i) { return static_cast<float>(i); }
inline float __uint2float_rn(unsigned u) { return static_cast<float>(u); }
inline float __ll2float_rn(long long l) { return static_cast<float>(l); }
inline float __double2float_rn(double d) { return static_cast<float>(d); }
inline double __int2double_rn(int i) { return i; }
inline double __ll2double_rn(long long l) { return static_cast<double>(l); }

template <class A, class B>
constexpr typename std::common_type<A, B>::type min(A a, B b) {
  typedef typename std::common_type<A, B>::type T;
  if constexpr (std::is_floating_point<T>::value) return a < b || b != b ? a : b;
  return static_cast<T>(b) < static_cast<T>(a) ? b : a;
}

template <class A, class B>
constexpr typename std::common_type<A, B>::type max(A a, B b) {
  typedef typename std::common_type<A, B>::type T;
  if constexpr (std::is_floating_point<T>::value) return a > b || b != b ? a : b;
  return static_cast<T>(a) < static_cast<T>(b) ? b : a;
}

inline void __trap() { emu_trap("__trap"); }
#define assert(condition) ((condition) ? static_cast<void>(0) : emu_trap("assertion failed: " #condition))

// ---- the table of kernels ----

template <auto F>
struct EmuEntry;

template <class... A, void (*F)(A...)>
struct EmuEntry<F> {
  static constexpr unsigned bytes[sizeof...(A) + 1] = {sizeof(A)..., 0};

  static constexpr uint64_t pointers() {
    uint64_t mask = 0;
    int i = 0;
    ((mask |= (std::is_pointer<A>::value ? uint64_t{1} << i : 0), i++), ...);
    return mask;
  }

  // Reads the launch's parameters from memory of the host, which kernels may not touch.
  template <size_t... I>
  __attribute__((no_sanitize("kernel-address"))) static void call(void** p, std::index_sequence<I...>) {
    F(*static_cast<typename std::remove_cv<A>::type*>(p[I])...);
  }

  __attribute__((no_sanitize("kernel-address"))) static void invoke(void** p) {
    call(p, std::index_sequence_for<A...>{});
  }
};

/** The first number of __launch_bounds__, or 0. */
constexpr int emu_bounds(int threads = 0, int = 0, int = 0) { return threads; }

#define EMU_KERNEL(name, ...)                                                                                   \
  {#name, &EmuEntry<&name>::invoke, static_cast<int>(sizeof(EmuEntry<&name>::bytes) / sizeof(unsigned)) - 1, \
      EmuEntry<&name>::bytes, EmuEntry<&name>::pointers(), emu_bounds(__VA_ARGS__)}
