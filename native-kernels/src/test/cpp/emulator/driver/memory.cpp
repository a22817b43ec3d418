// Allocation of device memory and of pinned host memory.
#include <cstdlib>
#include <cstring>
#include <map>
#include "../core/bench.h"
#include "arena.h"
#include "context.h"
#include "streams.h"

namespace emu {
namespace {

std::map<uintptr_t, size_t> pinned;

const bool registered = [] {
  // Pinned memory of a device made fresh is not returned: a direct ByteBuffer may still look at it.
  onReset([] { pinned.clear(); });
  onContextEnd([] {
    for (auto& [address, bytes] : pinned) untrack(reinterpret_cast<void*>(address));
    pinned.clear();
  });
  return true;
}();

int allocate(CUdeviceptr* pointer, size_t bytes, const char* call) {
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  *pointer = arena().allocate(bytes, call);
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

/** Names the mistake in an address that cannot be freed. */
int refuseFree(const char* call, CUdeviceptr pointer) {
  note(std::string(call) + ": not the start of a live allocation, but " + arena().describe(pointer));
  return CUDA_ERROR_INVALID_VALUE;
}

int allocateHost(void** pointer, size_t bytes) {
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  size_t whole = (bytes + 4095) & ~size_t{4095};
  *pointer = std::aligned_alloc(4096, whole);
  if (!*pointer) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(*pointer, 0xFF, whole);
  pinned[reinterpret_cast<uintptr_t>(*pointer)] = bytes;
  track(*pointer, "pinned host memory of " + std::to_string(bytes) + " bytes");
  return CUDA_SUCCESS;
}

}  // namespace

bool isPinned(const void* start, size_t bytes) {
  auto address = reinterpret_cast<uintptr_t>(start);
  auto it = pinned.upper_bound(address);
  if (it == pinned.begin()) return false;
  --it;
  return address - it->first <= it->second && bytes <= it->second - (address - it->first);
}

}  // namespace emu

using namespace emu;

CU_API cuMemGetInfo_v2(size_t* free, size_t* total) {
  CU_ENTER_CONTEXT("cuMemGetInfo_v2");
  *total = static_cast<size_t>(number("MEMORY_BYTES"));
  *free = *total - std::min(*total, arena().used());
  return CUDA_SUCCESS;
}

CU_API cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes) {
  CU_ENTER_CONTEXT("cuMemAlloc_v2");
  return allocate(pointer, bytes, "cuMemAlloc");
}

CU_API cuMemFree_v2(CUdeviceptr pointer) {
  CU_ENTER_CONTEXT("cuMemFree_v2");
  if (!pointer || arena().free(pointer)) return CUDA_SUCCESS;
  return refuseFree("cuMemFree", pointer);
}

CU_API cuMemAllocAsync(CUdeviceptr* pointer, size_t bytes, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemAllocAsync");
  if (!streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  return allocate(pointer, bytes, "cuMemAllocAsync");
}

CU_API cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemFreeAsync");
  if (!streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (!pointer) return CUDA_SUCCESS;
  if (arena().around(pointer).first != pointer) return refuseFree("cuMemFreeAsync", pointer);
  submit(stream, "cuMemFreeAsync", [=] {
    if (!arena().free(pointer)) breakContext(CUDA_ERROR_ILLEGAL_ADDRESS, "cuMemFreeAsync: freed twice");
  });
  return CUDA_SUCCESS;
}

CU_API cuMemGetAddressRange_v2(CUdeviceptr* start, size_t* bytes, CUdeviceptr pointer) {
  CU_ENTER_CONTEXT("cuMemGetAddressRange_v2");
  auto block = arena().around(pointer);
  if (!block.second) return CUDA_ERROR_NOT_FOUND;
  if (start) *start = block.first;
  if (bytes) *bytes = block.second;
  return CUDA_SUCCESS;
}

CU_API cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  CU_ENTER_CONTEXT("cuMemHostAlloc");
  return allocateHost(pointer, bytes);
}

CU_API cuMemAllocHost_v2(void** pointer, size_t bytes) {
  CU_ENTER_CONTEXT("cuMemAllocHost_v2");
  return allocateHost(pointer, bytes);
}

CU_API cuMemFreeHost(void* pointer) {
  CU_ENTER_CONTEXT("cuMemFreeHost");
  auto it = pinned.find(reinterpret_cast<uintptr_t>(pointer));
  if (it == pinned.end()) return CUDA_ERROR_INVALID_VALUE;
  pinned.erase(it);
  untrack(pointer);
  std::free(pointer);
  return CUDA_SUCCESS;
}
