// The few types and numbers of the CUDA driver API that the emulator needs, as documented; no CUDA header is used.
#pragma once
#include <cstddef>
#include <cstdint>
#include "../core/emulator.h"

#define CU_API extern "C" EMU_EXPORT int

typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
struct CUctx;
struct CUstr;
struct CUevt;
struct CUmod;
struct CUfunc;
struct CUgrph;
struct CUgrphExec;
typedef CUctx* CUcontext;
typedef CUstr* CUstream;
typedef CUevt* CUevent;
typedef CUmod* CUmodule;
typedef CUfunc* CUfunction;
typedef CUgrph* CUgraph;
typedef CUgrphExec* CUgraphExec;

enum : int {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_DEVICE_UNAVAILABLE = 46,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_ECC_UNCORRECTABLE = 214,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_ILLEGAL_STATE = 401,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_ASSERT = 710,
  CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
  CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
  CUDA_ERROR_UNKNOWN = 999,
};

namespace emu {

/** Counts the call; returns an ordered failure, which may break the context, or the answer of a lost device. */
int enterDriver(const char* call);
int needsInit();
int needsContext();

}  // namespace emu

/** Opens a driver function that works before cuInit. */
#define CU_ENTER_ANY(name)                                    \
  std::lock_guard<std::recursive_mutex> guard(emu::mutex()); \
  if (int code = emu::enterDriver(name)) return code

/** Opens a driver function that needs no context. */
#define CU_ENTER(name) \
  CU_ENTER_ANY(name);  \
  if (int code = emu::needsInit()) return code

/** Opens a driver function that works in the current context, which a fault may have broken. */
#define CU_ENTER_CONTEXT(name) \
  CU_ENTER_ANY(name);          \
  if (int code = emu::needsContext()) return code
