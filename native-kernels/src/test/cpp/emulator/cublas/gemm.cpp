// C = alpha op(A) op(B) + beta C, column-major, one or many matrices.
#include <algorithm>
#include <vector>
#include "../core/numbers.h"
#include "../core/product.h"
#include "handle.h"

namespace emu {
namespace {

enum : int { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, FAST_16F = 74, FAST_16BF = 75, FAST_TF32 = 77 };

/** An operand: `rows` and `columns` as stored, before any transposition. */
struct Operand {
  const void* data;
  Type type;
  int64_t rows, columns, ld, stride;

  int64_t bytes(int64_t batch) const {
    return ((batch - 1) * stride + (columns - 1) * ld + rows) * static_cast<int64_t>(sizeOf(type));
  }

  bool aligned() const { return reinterpret_cast<uintptr_t>(data) % sizeOf(type) == 0; }
};

struct Gemm {
  const char* name;
  bool transposeA, transposeB;
  int64_t m, n, k, batch;
  Operand a, b, c;
  const void *alpha, *beta;
  bool scalarsOnDevice;
  float hostAlpha, hostBeta;
  Rounding rounding;
};

bool typeOf(int cudaType, Type* type) {
  switch (cudaType) {
    case 0: *type = Type::FLOAT; return true;
    case 2: *type = Type::HALF; return true;
    case 14: *type = Type::BFLOAT16; return true;
    default: return false;
  }
}

int refuse(const Gemm& g, const char* why) {
  note(std::string(g.name) + ": " + why);
  return CUBLAS_INVALID_VALUE;
}

int check(const Gemm& g) {
  if (g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0) return refuse(g, "a negative size");
  if (g.a.ld < std::max<int64_t>(1, g.a.rows)) return refuse(g, "lda is less than the rows of A");
  if (g.b.ld < std::max<int64_t>(1, g.b.rows)) return refuse(g, "ldb is less than the rows of B");
  if (g.c.ld < std::max<int64_t>(1, g.c.rows)) return refuse(g, "ldc is less than the rows of C");
  if (!g.alpha || !g.beta) return refuse(g, "alpha or beta is null");
  if (!g.m || !g.n || !g.batch) return CUBLAS_SUCCESS;
  if (!g.c.data || (g.k && (!g.a.data || !g.b.data))) return refuse(g, "a null matrix");
  if (!g.a.aligned() || !g.b.aligned() || !g.c.aligned()) return refuse(g, "a misaligned matrix");
  if (g.k && (g.c.data == g.a.data || g.c.data == g.b.data)) return refuse(g, "C is also an operand");
  if (g.batch > 1 && g.c.stride < (g.c.columns - 1) * g.c.ld + g.c.rows && g.c.stride < g.c.rows) {
    return refuse(g, "results of the batch overlap");
  }
  return CUBLAS_SUCCESS;
}

bool rangesGood(const Gemm& g) {
  auto good = [&](const Operand& x) { return inAllocation(x.data, static_cast<size_t>(x.bytes(g.batch)), g.name); };
  return good(g.c) && (!g.k || (good(g.a) && good(g.b)));
}

/** Matrix `index` of an operand as floats, packed without gaps into `space` where a conversion is needed. */
Matrix asFloats(const Operand& x, int64_t index, bool transpose, Rounding rounding, std::vector<float>* space) {
  int64_t ld = x.ld, start = index * x.stride;
  const float* data = static_cast<const float*>(x.data) + start;
  if (x.type != Type::FLOAT || rounding != Rounding::NONE) {
    space->resize(static_cast<size_t>(x.rows * x.columns));
    for (int64_t j = 0; j < x.columns; j++) {
      for (int64_t i = 0; i < x.rows; i++) {
        (*space)[static_cast<size_t>(j * x.rows + i)] = rounded(load(x.data, start + j * ld + i, x.type), rounding);
      }
    }
    data = space->data();
    ld = x.rows;
  }
  return transpose ? Matrix{data, ld, 1} : Matrix{data, 1, ld};
}

Matrix transposed(Matrix m) { return {m.data, m.column, m.row}; }

void run(const Gemm& g) {
  if (!rangesGood(g)) return;
  if (g.scalarsOnDevice && !(inAllocation(g.alpha, 4, g.name) && inAllocation(g.beta, 4, g.name))) return;
  float alpha = g.scalarsOnDevice ? *static_cast<const float*>(g.alpha) : g.hostAlpha;
  float beta = g.scalarsOnDevice ? *static_cast<const float*>(g.beta) : g.hostBeta;
  std::vector<float> a, b, product(static_cast<size_t>(g.m * g.n));
  void* c = const_cast<void*>(g.c.data);
  for (int64_t q = 0; q < g.batch; q++) {
    std::fill(product.begin(), product.end(), 0.0f);
    if (g.k) {
      Matrix left = asFloats(g.a, q, g.transposeA, g.rounding, &a);
      Matrix right = asFloats(g.b, q, g.transposeB, g.rounding, &b);
      addProduct(product.data(), transposed(right), transposed(left), g.n, g.m, g.k);  // C^T = B^T A^T is row-major
    }
    for (int64_t j = 0; j < g.n; j++) {
      for (int64_t i = 0; i < g.m; i++) {
        int64_t at = q * g.c.stride + j * g.c.ld + i;
        float value = alpha * product[static_cast<size_t>(j * g.m + i)];
        if (beta != 0) value += beta * load(c, at, g.c.type);  // with beta = 0, C is not read
        store(c, at, g.c.type, value);
      }
    }
  }
}

int start(Blas* blas, Gemm g) {
  if (int code = check(g)) return code;
  if (!g.m || !g.n || !g.batch) return CUBLAS_SUCCESS;
  g.scalarsOnDevice = blas->pointerMode == POINTER_MODE_DEVICE;
  if (!g.scalarsOnDevice) {
    if (isDeviceAddress(g.alpha) || isDeviceAddress(g.beta)) return refuse(g, "alpha or beta is a device pointer");
    g.hostAlpha = *static_cast<const float*>(g.alpha);  // read before the call returns
    g.hostBeta = *static_cast<const float*>(g.beta);
  }
  submit(blas->stream, g.name, [g] { run(g); });
  return CUBLAS_SUCCESS;
}

Gemm describe(const char* name, int transposeA, int transposeB, int64_t m, int64_t n, int64_t k, const void* alpha,
    const void* beta, int64_t batch) {
  Gemm g{};
  g.name = name;
  g.transposeA = transposeA != 0;
  g.transposeB = transposeB != 0;
  g.m = m;
  g.n = n;
  g.k = k;
  g.batch = batch;
  g.alpha = alpha;
  g.beta = beta;
  return g;
}

Operand operand(const void* data, Type type, bool transpose, int64_t rows, int64_t columns, int64_t ld,
    int64_t stride) {
  return transpose ? Operand{data, type, columns, rows, ld, stride} : Operand{data, type, rows, columns, ld, stride};
}

/** What the math mode lets Ampere and later do to fp32 inputs. */
Rounding roundingOf(const Blas& blas, Type type, int compute) {
  if (type != Type::FLOAT) return Rounding::NONE;
  if (compute == FAST_16F) return Rounding::HALF;
  if (compute == FAST_16BF) return Rounding::BFLOAT16;
  bool ampere = knob("COMPUTE_CAPABILITY") >= "8.0" || knob("COMPUTE_CAPABILITY").find('.') > 1;
  bool tf32 = compute == FAST_TF32 || (compute == COMPUTE_32F && (blas.math & 15) == TF32_TENSOR_OP_MATH);
  return ampere && tf32 ? Rounding::TF32 : Rounding::NONE;
}

bool validTranspose(int t) { return t >= 0 && t <= 2; }

int gemmEx(Blas* blas, const char* name, int ta, int tb, int64_t m, int64_t n, int64_t k, const void* alpha,
    const void* a, int aType, int64_t lda, int64_t strideA, const void* b, int bType, int64_t ldb, int64_t strideB,
    const void* beta, const void* c, int cType, int64_t ldc, int64_t strideC, int64_t batch, int compute) {
  Type at, bt, ct;
  bool known = compute == COMPUTE_32F || compute == COMPUTE_32F_PEDANTIC || compute == FAST_16F ||
      compute == FAST_16BF || compute == FAST_TF32;
  if (!validTranspose(ta) || !validTranspose(tb)) return CUBLAS_INVALID_VALUE;
  if (!known || !typeOf(aType, &at) || !typeOf(bType, &bt) || !typeOf(cType, &ct)) return CUBLAS_NOT_SUPPORTED;
  bool fast = compute >= FAST_16F;
  if (at != bt || (ct != at && ct != Type::FLOAT) || (fast && at != Type::FLOAT)) return CUBLAS_NOT_SUPPORTED;
  Gemm g = describe(name, ta, tb, m, n, k, alpha, beta, batch);
  g.a = operand(a, at, ta != 0, m, k, lda, strideA);
  g.b = operand(b, bt, tb != 0, k, n, ldb, strideB);
  g.c = operand(c, ct, false, m, n, ldc, strideC);
  g.rounding = roundingOf(*blas, at, compute);
  return start(blas, g);
}

constexpr int R_32F = 0;

}  // namespace
}  // namespace emu

using namespace emu;

CUBLAS_API cublasSgemm_v2(void* handle, int ta, int tb, int m, int n, int k, const float* alpha, const float* a,
    int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  CUBLAS_ENTER_HANDLE("cublasSgemm_v2", handle);
  return gemmEx(blas, "cublasSgemm", ta, tb, m, n, k, alpha, a, R_32F, lda, 0, b, R_32F, ldb, 0, beta, c, R_32F, ldc, 0,
      1, COMPUTE_32F);
}

CUBLAS_API cublasSgemmStridedBatched(void* handle, int ta, int tb, int m, int n, int k, const float* alpha,
    const float* a, int lda, long long strideA, const float* b, int ldb, long long strideB, const float* beta, float* c,
    int ldc, long long strideC, int batch) {
  CUBLAS_ENTER_HANDLE("cublasSgemmStridedBatched", handle);
  return gemmEx(blas, "cublasSgemmStridedBatched", ta, tb, m, n, k, alpha, a, R_32F, lda, strideA, b, R_32F, ldb,
      strideB, beta, c, R_32F, ldc, strideC, batch, COMPUTE_32F);
}

CUBLAS_API cublasGemmEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int aType,
    int lda, const void* b, int bType, int ldb, const void* beta, void* c, int cType, int ldc, int compute, int) {
  CUBLAS_ENTER_HANDLE("cublasGemmEx", handle);
  return gemmEx(blas, "cublasGemmEx", ta, tb, m, n, k, alpha, a, aType, lda, 0, b, bType, ldb, 0, beta, c, cType, ldc,
      0, 1, compute);
}

CUBLAS_API cublasGemmStridedBatchedEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha,
    const void* a, int aType, int lda, long long strideA, const void* b, int bType, int ldb, long long strideB,
    const void* beta, void* c, int cType, int ldc, long long strideC, int batch, int compute, int) {
  CUBLAS_ENTER_HANDLE("cublasGemmStridedBatchedEx", handle);
  return gemmEx(blas, "cublasGemmStridedBatchedEx", ta, tb, m, n, k, alpha, a, aType, lda, strideA, b, bType, ldb,
      strideB, beta, c, cType, ldc, strideC, batch, compute);
}
