// Handles, modes and names of the emulated cuBLAS.
#include "handle.h"
#include <cstdlib>
#include "../core/handles.h"

namespace emu {
namespace {

Handles<Blas>& handles() {
  static Handles<Blas> instance("cuBLAS handle");
  return instance;
}

struct StatusName {
  int code;
  const char *name, *text;
};

const StatusName STATUSES[] = {
    {0, "CUBLAS_STATUS_SUCCESS", "success"},
    {1, "CUBLAS_STATUS_NOT_INITIALIZED", "the library was not initialized"},
    {3, "CUBLAS_STATUS_ALLOC_FAILED", "the resource allocation failed"},
    {7, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed to the function"},
    {8, "CUBLAS_STATUS_ARCH_MISMATCH",
        "the function requires an architectural feature absent from the architecture of the device"},
    {11, "CUBLAS_STATUS_MAPPING_ERROR", "an access to GPU memory space failed"},
    {13, "CUBLAS_STATUS_EXECUTION_FAILED", "the function failed to launch on the GPU"},
    {14, "CUBLAS_STATUS_INTERNAL_ERROR", "an internal operation failed"},
    {15, "CUBLAS_STATUS_NOT_SUPPORTED", "the functionality is not supported"},
};

const char* statusText(int code, const char* StatusName::*what, const char* unknown) {
  for (const StatusName& status : STATUSES) {
    if (status.code == code) return status.*what;
  }
  return unknown;
}

}  // namespace

Blas* blasOf(void* handle) { return handles().find(handle); }

}  // namespace emu

using namespace emu;

CUBLAS_API cublasCreate_v2(void** handle) {
  CUBLAS_ENTER("cublasCreate_v2");
  if (!handle) return CUBLAS_INVALID_VALUE;
  if (!hasContext()) return CUBLAS_NOT_INITIALIZED;
  handles().add(handle, std::make_unique<Blas>());
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasDestroy_v2(void* handle) {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  if (int code = enter("cublasDestroy_v2")) return code;
  return handles().remove(handle) ? CUBLAS_SUCCESS : CUBLAS_NOT_INITIALIZED;  // also when the context is broken
}

CUBLAS_API cublasGetVersion_v2(void*, int* version) {
  CUBLAS_ENTER("cublasGetVersion_v2");
  *version = std::atoi(knob("CUBLAS_VERSION").c_str());
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasSetStream_v2(void* handle, void* stream) {
  CUBLAS_ENTER_HANDLE("cublasSetStream_v2", handle);
  if (!isStream(stream)) return CUBLAS_INVALID_VALUE;
  blas->stream = stream;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasGetStream_v2(void* handle, void** stream) {
  CUBLAS_ENTER_HANDLE("cublasGetStream_v2", handle);
  *stream = blas->stream;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasSetPointerMode_v2(void* handle, int mode) {
  CUBLAS_ENTER_HANDLE("cublasSetPointerMode_v2", handle);
  if (mode != POINTER_MODE_HOST && mode != POINTER_MODE_DEVICE) return CUBLAS_INVALID_VALUE;
  blas->pointerMode = mode;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasGetPointerMode_v2(void* handle, int* mode) {
  CUBLAS_ENTER_HANDLE("cublasGetPointerMode_v2", handle);
  *mode = blas->pointerMode;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasSetMathMode(void* handle, int mode) {
  CUBLAS_ENTER_HANDLE("cublasSetMathMode", handle);
  constexpr int NO_REDUCED_PRECISION_REDUCTION = 16;
  int base = mode & ~NO_REDUCED_PRECISION_REDUCTION;
  if (base < DEFAULT_MATH || base > TF32_TENSOR_OP_MATH) return CUBLAS_INVALID_VALUE;
  blas->math = mode;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasGetMathMode(void* handle, int* mode) {
  CUBLAS_ENTER_HANDLE("cublasGetMathMode", handle);
  *mode = blas->math;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasSetAtomicsMode(void* handle, int mode) {
  CUBLAS_ENTER_HANDLE("cublasSetAtomicsMode", handle);
  blas->atomics = mode;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasGetAtomicsMode(void* handle, int* mode) {
  CUBLAS_ENTER_HANDLE("cublasGetAtomicsMode", handle);
  *mode = blas->atomics;
  return CUBLAS_SUCCESS;
}

CUBLAS_API cublasSetWorkspace_v2(void* handle, void* start, size_t bytes) {
  CUBLAS_ENTER_HANDLE("cublasSetWorkspace_v2", handle);
  if (reinterpret_cast<uintptr_t>(start) % 256) return CUBLAS_INVALID_VALUE;
  return inAllocation(start, bytes, "cublasSetWorkspace") ? CUBLAS_SUCCESS : CUBLAS_INVALID_VALUE;
}

extern "C" EMU_EXPORT const char* cublasGetStatusName(int code) {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  count("cublasGetStatusName");
  return statusText(code, &StatusName::name, "CUBLAS_STATUS unknown");
}

extern "C" EMU_EXPORT const char* cublasGetStatusString(int code) {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  count("cublasGetStatusString");
  return statusText(code, &StatusName::text, "unknown status");
}

/** What every cuBLAS function that is not written answers. */
extern "C" int emu_unwritten_cublas(const char* name) {
  CUBLAS_ENTER(name);
  return CUBLAS_NOT_SUPPORTED;
}
