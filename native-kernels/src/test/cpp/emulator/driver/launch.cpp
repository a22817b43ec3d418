// Launches and what limits them.
#include <algorithm>
#include <cstring>
#include "../core/bench.h"
#include "arena.h"
#include "context.h"
#include "devices.h"
#include "modules.h"
#include "streams.h"

namespace emu {
namespace {

int refuse(const Function& function, int code, const std::string& why) {
  note("launch of " + std::string(function.kernel->name) + ": " + why);
  return code;
}

int checkShape(const Function& f, const unsigned* grid, const unsigned* block, unsigned dynamicShared) {
  uint64_t threads = uint64_t{block[0]} * block[1] * block[2];
  std::string shared = std::to_string(dynamicShared) + " bytes of dynamic shared memory";
  if (!grid[0] || !grid[1] || !grid[2] || !threads) {
    return refuse(f, CUDA_ERROR_INVALID_VALUE, "an empty grid or block");
  }
  if (grid[0] > 2147483647u || grid[1] > 65535 || grid[2] > 65535) {
    return refuse(f, CUDA_ERROR_INVALID_VALUE, "the grid is larger than 2147483647 x 65535 x 65535");
  }
  if (threads > THREADS_PER_BLOCK || block[2] > 64) {
    return refuse(f, CUDA_ERROR_INVALID_VALUE, std::to_string(threads) + " threads in a block");
  }
  if (f.kernel->maxThreads && threads > static_cast<uint64_t>(f.kernel->maxThreads)) {
    return refuse(f, CUDA_ERROR_INVALID_VALUE, std::to_string(threads) + " threads in a block, but __launch_bounds__(" +
        std::to_string(f.kernel->maxThreads) + ")");
  }
  if (dynamicShared > static_cast<unsigned>(std::max(0, f.maxDynamicShared))) {
    return refuse(f, CUDA_ERROR_INVALID_VALUE, shared + ", the function allows " + std::to_string(f.maxDynamicShared));
  }
  return CUDA_SUCCESS;
}

/** Copies the values out of the caller's memory; a pointer parameter must be null or lead to device memory. */
int readParameters(const Function& f, void** from, std::vector<uint64_t>* values) {
  for (int i = 0; i < f.kernel->parameterCount; i++) {
    if (!from || !from[i]) return refuse(f, CUDA_ERROR_INVALID_VALUE, "parameter " + std::to_string(i) + " is missing");
    uint64_t value = 0;
    if (f.kernel->parameterBytes[i] > sizeof value) return refuse(f, CUDA_ERROR_NOT_SUPPORTED, "a struct as parameter");
    std::memcpy(&value, from[i], f.kernel->parameterBytes[i]);
    if ((f.kernel->pointers >> i & 1) && value && !arena().contains(value)) {
      breakContext(CUDA_ERROR_ILLEGAL_ADDRESS, "launch of " + std::string(f.kernel->name) + ": parameter " +
          std::to_string(i) + " is a pointer, but not to device memory");
      return CUDA_SUCCESS;  // as on a GPU, where the kernel finds out
    }
    values->push_back(value);
  }
  return CUDA_SUCCESS;
}

int orderOf(const std::string& name) {
  return name == "reverse" ? EMU_REVERSE : name == "shuffled" ? EMU_SHUFFLED : EMU_FORWARD;
}

void run(const Function& f, EmuLaunch launch, std::vector<uint64_t> values) {
  std::vector<void*> pointers;
  for (uint64_t& value : values) pointers.push_back(&value);
  launch.parameters = pointers.data();
  launch.memory = arena().view();
  launch.order = orderOf(knob("THREAD_ORDER"));
  launch.races = flag("RACE_CHECK");
  EmuFault fault{};
  f.library->launch(*f.kernel, launch, &fault);
  if (!fault.code) return;
  std::string text = fault.text;
  if (fault.address) text += ", " + arena().describe(fault.address);
  breakContext(fault.code, text);
}

int occupancy(const Function& f, int threads, size_t dynamicShared) {
  Limits l = limits();
  int warps = (threads + 31) / 32;
  if (warps < 1 || threads > THREADS_PER_BLOCK) return 0;
  int shared = static_cast<int>(f.staticShared + dynamicShared) + SHARED_RESERVED;
  return std::min({l.blocksPerProcessor, l.threadsPerProcessor / (32 * warps), l.sharedPerProcessor / shared});
}

}  // namespace
}  // namespace emu

using namespace emu;

CU_API cuLaunchKernel(CUfunction handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
    unsigned blockY, unsigned blockZ, unsigned dynamicShared, CUstream stream, void** parameters, void** extra) {
  CU_ENTER_CONTEXT("cuLaunchKernel");
  Function* f = functionOf(handle);
  if (!f || !streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  if (extra) return refuse(*f, CUDA_ERROR_NOT_SUPPORTED, "parameters packed into a buffer");
  EmuLaunch launch{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, dynamicShared, nullptr, {}, 0, 0, 0, false, 0};
  if (int code = checkShape(*f, launch.grid, launch.block, dynamicShared)) return code;
  std::vector<uint64_t> values;
  if (int code = readParameters(*f, parameters, &values)) return code;
  submit(stream, f->kernel->name, [function = *f, launch, values] { run(function, launch, values); });
  return CUDA_SUCCESS;  // a fault shows at a later call, as with the real driver
}

CU_API cuFuncGetAttribute(int* value, int attribute, CUfunction handle) {
  CU_ENTER_CONTEXT("cuFuncGetAttribute");
  Function* f = functionOf(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  switch (attribute) {
    case 0: *value = f->kernel->maxThreads ? f->kernel->maxThreads : THREADS_PER_BLOCK; break;  // MAX_THREADS_PER_BLOCK
    case 1: *value = static_cast<int>(f->staticShared); break;                                  // SHARED_SIZE_BYTES
    case 4: *value = 32; break;                                                                 // NUM_REGS
    case 5: case 6: *value = limits().capability; break;                                        // PTX_, BINARY_VERSION
    case 8: *value = f->maxDynamicShared; break;  // MAX_DYNAMIC_SHARED_SIZE_BYTES
    case 9: *value = -1; break;                   // PREFERRED_SHARED_MEMORY_CARVEOUT
    default: *value = 0;
  }
  return CUDA_SUCCESS;
}

CU_API cuFuncSetAttribute(CUfunction handle, int attribute, int value) {
  CU_ENTER_CONTEXT("cuFuncSetAttribute");
  constexpr int MAX_DYNAMIC_SHARED = 8, CARVEOUT = 9;
  Function* f = functionOf(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (attribute == CARVEOUT) return CUDA_SUCCESS;
  if (attribute != MAX_DYNAMIC_SHARED || value < 0) return CUDA_ERROR_INVALID_VALUE;
  if (value + static_cast<int>(f->staticShared) > limits().sharedPerBlockOptIn) {
    return refuse(*f, CUDA_ERROR_INVALID_VALUE, std::to_string(value) + " bytes of dynamic and " +
        std::to_string(f->staticShared) + " of static shared memory are more than the device has");
  }
  f->maxDynamicShared = value;
  return CUDA_SUCCESS;
}

CU_API cuFuncSetCacheConfig(CUfunction handle, int) {
  CU_ENTER_CONTEXT("cuFuncSetCacheConfig");
  return functionOf(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CU_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction handle, int threads, size_t dynamicShared) {
  CU_ENTER_CONTEXT("cuOccupancyMaxActiveBlocksPerMultiprocessor");
  Function* f = functionOf(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  *blocks = occupancy(*f, threads, dynamicShared);
  return CUDA_SUCCESS;
}
