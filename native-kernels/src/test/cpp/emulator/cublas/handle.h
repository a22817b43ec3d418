// What the parts of the emulated cuBLAS share.
#pragma once
#include "../core/emulator.h"

namespace emu {

enum : int {
  CUBLAS_SUCCESS = 0,
  CUBLAS_NOT_INITIALIZED = 1,
  CUBLAS_INVALID_VALUE = 7,
  CUBLAS_EXECUTION_FAILED = 13,
  CUBLAS_NOT_SUPPORTED = 15,
};

enum : int { POINTER_MODE_HOST = 0, POINTER_MODE_DEVICE = 1 };
enum : int { DEFAULT_MATH = 0, PEDANTIC_MATH = 2, TF32_TENSOR_OP_MATH = 3 };

struct Blas {
  void* stream = nullptr;
  int pointerMode = POINTER_MODE_HOST;
  int math = DEFAULT_MATH;
  int atomics = 0;
};

/** The handle's object, or null. */
Blas* blasOf(void* handle);

}  // namespace emu

#define CUBLAS_API extern "C" EMU_EXPORT int

#define CUBLAS_ENTER(name)                                   \
  std::lock_guard<std::recursive_mutex> guard(emu::mutex()); \
  if (int code = emu::enter(name)) return code;              \
  if (emu::deviceError()) return emu::CUBLAS_EXECUTION_FAILED

/** Also finds the handle's object, as `blas`. */
#define CUBLAS_ENTER_HANDLE(name, handle)  \
  CUBLAS_ENTER(name);                      \
  emu::Blas* blas = emu::blasOf(handle);   \
  if (!blas) return emu::CUBLAS_NOT_INITIALIZED
