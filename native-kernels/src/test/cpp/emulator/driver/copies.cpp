// Copies and fills.
#include <cstring>
#include <vector>
#include "../core/bench.h"
#include "arena.h"
#include "context.h"
#include "streams.h"

namespace emu {
namespace {

/** Rows of bytes on one side of a copy; a plain copy has one row. */
struct Side {
  char* start;
  size_t pitch;
  bool device;
};

Side deviceSide(CUdeviceptr p) { return {reinterpret_cast<char*>(p), 0, true}; }

Side hostSide(const void* p) { return {static_cast<char*>(const_cast<void*>(p)), 0, false}; }

int refuse(const std::string& text) {
  note(text);
  return CUDA_ERROR_INVALID_VALUE;
}

/** Checks one side of a copy at the call, as the driver does. */
int check(const Side& side, size_t width, size_t rows, bool asynchronous, const char* call) {
  size_t bytes = side.pitch * (rows - 1) + width;
  auto address = reinterpret_cast<uintptr_t>(side.start);
  if (!address) return refuse(std::string(call) + ": null pointer");
  if (side.device) {
    if (arena().holds(address, bytes)) return CUDA_SUCCESS;
    return refuse(std::string(call) + ": " + std::to_string(bytes) +
        " bytes are not inside one allocation, they start " + arena().describe(address));
  }
  if (isDeviceAddress(side.start)) return refuse(std::string(call) + ": device address given as host memory");
  if (asynchronous && deferred() && !isPinned(side.start, bytes)) {
    // The driver would read or write the range later, when Java may have moved or changed it.
    breakContext(CUDA_ERROR_LAUNCH_FAILED, std::string(call) + ": asynchronous copy of host memory that is not pinned");
    return context().error;
  }
  return CUDA_SUCCESS;
}

void move(const Side& to, const Side& from, size_t width, size_t rows) {
  for (size_t r = 0; r < rows; r++) std::memmove(to.start + r * to.pitch, from.start + r * from.pitch, width);
}

/** What the copy still needs when it runs late: that nothing was freed since it was checked. */
bool stillThere(const Side& side, size_t width, size_t rows, const char* call) {
  size_t bytes = side.pitch * (rows - 1) + width;
  if (side.device) return inAllocation(side.start, bytes, call);
  if (isPinned(side.start, bytes)) return true;
  breakContext(CUDA_ERROR_LAUNCH_FAILED, std::string(call) + ": pinned memory was freed before the copy ran");
  return false;
}

int copy(Side to, Side from, size_t width, size_t rows, CUstream stream, bool asynchronous, const char* call) {
  if (!streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  if (!width || !rows) return CUDA_SUCCESS;
  if (int code = check(to, width, rows, asynchronous, call)) return code;
  if (int code = check(from, width, rows, asynchronous, call)) return code;
  if (!asynchronous) {
    if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    drainDefault();  // and not the streams that do not block: their results may be missing
    if (context().error) return context().error;
    move(to, from, width, rows);
    return CUDA_SUCCESS;
  }
  bool late = deferred();
  submit(stream, call, [=] {
    if (late && !(stillThere(to, width, rows, call) && stillThere(from, width, rows, call))) return;
    move(to, from, width, rows);
  });
  return CUDA_SUCCESS;
}

/** CUDA_MEMCPY2D_v2. */
struct Copy2D {
  size_t fromX, fromY;
  int fromType;
  const void* fromHost;
  CUdeviceptr fromDevice;
  void* fromArray;
  size_t fromPitch;
  size_t toX, toY;
  int toType;
  void* toHost;
  CUdeviceptr toDevice;
  void* toArray;
  size_t toPitch;
  size_t width, height;
};

int copy2D(const Copy2D* c, CUstream stream, bool asynchronous, const char* call) {
  constexpr int HOST = 1, DEVICE = 2;
  if (c->fromType < HOST || c->fromType > DEVICE || c->toType < HOST || c->toType > DEVICE) {
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  Side from = c->fromType == DEVICE ? deviceSide(c->fromDevice) : hostSide(c->fromHost);
  Side to = c->toType == DEVICE ? deviceSide(c->toDevice) : hostSide(c->toHost);
  from.pitch = c->fromPitch ? c->fromPitch : c->width;
  to.pitch = c->toPitch ? c->toPitch : c->width;
  if (from.pitch < c->width + c->fromX || to.pitch < c->width + c->toX) {
    return refuse(std::string(call) + ": a pitch is smaller than a row");
  }
  from.start += c->fromY * from.pitch + c->fromX;
  to.start += c->toY * to.pitch + c->toX;
  return copy(to, from, c->width, c->height, stream, asynchronous, call);
}

template <class T>
int fill(CUdeviceptr start, T value, size_t count, CUstream stream, const char* call) {
  if (!streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  if (start % sizeof(T)) return refuse(std::string(call) + ": misaligned");
  if (!count) return CUDA_SUCCESS;
  if (int code = check(deviceSide(start), count * sizeof(T), 1, false, call)) return code;
  submit(stream, call, [=] {
    if (!inAllocation(reinterpret_cast<void*>(start), count * sizeof(T), call)) return;
    std::fill_n(reinterpret_cast<T*>(start), count, value);
  });
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace emu

using namespace emu;

CU_API cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  CU_ENTER_CONTEXT("cuMemcpyHtoD_v2");
  return copy(deviceSide(to), hostSide(from), bytes, 1, nullptr, false, "cuMemcpyHtoD");
}

CU_API cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  CU_ENTER_CONTEXT("cuMemcpyDtoH_v2");
  return copy(hostSide(to), deviceSide(from), bytes, 1, nullptr, false, "cuMemcpyDtoH");
}

CU_API cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  CU_ENTER_CONTEXT("cuMemcpyDtoD_v2");
  return copy(deviceSide(to), deviceSide(from), bytes, 1, nullptr, true, "cuMemcpyDtoD");
}

CU_API cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemcpyHtoDAsync_v2");
  return copy(deviceSide(to), hostSide(from), bytes, 1, stream, true, "cuMemcpyHtoDAsync");
}

CU_API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemcpyDtoHAsync_v2");
  return copy(hostSide(to), deviceSide(from), bytes, 1, stream, true, "cuMemcpyDtoHAsync");
}

CU_API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemcpyDtoDAsync_v2");
  return copy(deviceSide(to), deviceSide(from), bytes, 1, stream, true, "cuMemcpyDtoDAsync");
}

CU_API cuMemcpy2D_v2(const Copy2D* c) {
  CU_ENTER_CONTEXT("cuMemcpy2D_v2");
  return copy2D(c, nullptr, false, "cuMemcpy2D");
}

CU_API cuMemcpy2DUnaligned_v2(const Copy2D* c) {
  CU_ENTER_CONTEXT("cuMemcpy2DUnaligned_v2");
  return copy2D(c, nullptr, false, "cuMemcpy2DUnaligned");
}

CU_API cuMemcpy2DAsync_v2(const Copy2D* c, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemcpy2DAsync_v2");
  return copy2D(c, stream, true, "cuMemcpy2DAsync");
}

CU_API cuMemsetD8_v2(CUdeviceptr p, unsigned char value, size_t count) {
  CU_ENTER_CONTEXT("cuMemsetD8_v2");
  return fill(p, value, count, nullptr, "cuMemsetD8");
}

CU_API cuMemsetD16_v2(CUdeviceptr p, unsigned short value, size_t count) {
  CU_ENTER_CONTEXT("cuMemsetD16_v2");
  return fill(p, value, count, nullptr, "cuMemsetD16");
}

CU_API cuMemsetD32_v2(CUdeviceptr p, unsigned value, size_t count) {
  CU_ENTER_CONTEXT("cuMemsetD32_v2");
  return fill(p, value, count, nullptr, "cuMemsetD32");
}

CU_API cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t count, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemsetD8Async");
  return fill(p, value, count, stream, "cuMemsetD8Async");
}

CU_API cuMemsetD16Async(CUdeviceptr p, unsigned short value, size_t count, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemsetD16Async");
  return fill(p, value, count, stream, "cuMemsetD16Async");
}

CU_API cuMemsetD32Async(CUdeviceptr p, unsigned value, size_t count, CUstream stream) {
  CU_ENTER_CONTEXT("cuMemsetD32Async");
  return fill(p, value, count, stream, "cuMemsetD32Async");
}
