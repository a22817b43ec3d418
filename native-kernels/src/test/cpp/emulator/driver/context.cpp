#include "context.h"
#include <set>
#include <vector>
#include "../core/bench.h"
#include "arena.h"
#include "streams.h"

namespace emu {
namespace {

// Contexts are only names: there is one device, and memory belongs to all of them.
const CUcontext PRIMARY = reinterpret_cast<CUcontext>(0x100);
std::set<CUcontext> created;
std::vector<std::function<void()>>& enders() {
  static std::vector<std::function<void()>> instance;
  return instance;
}
thread_local std::vector<CUcontext> current;

bool isContext(CUcontext c) { return (c == PRIMARY && context().retained > 0) || created.count(c) == 1; }

void endBroken() {
  discardWork();
  for (auto& end : enders()) end();
  context().error = 0;
}

/** A broken context takes everything with it; after a clean end, what was not given back stays listed as a leak. */
void endLast() {
  if (context().retained > 0 || !created.empty()) return;
  if (context().error) {
    endBroken();
  } else {
    drainAll();
  }
}

const bool registered = [] {
  onReset([] {
    discardWork();
    created.clear();
    context() = Context();
  });
  return true;
}();

}  // namespace

Context& context() {
  static Context instance;
  return instance;
}

void onContextEnd(std::function<void()> end) { enders().push_back(std::move(end)); }

bool breaksContext(int code) {
  return code == CUDA_ERROR_ECC_UNCORRECTABLE || code == CUDA_ERROR_ILLEGAL_ADDRESS ||
      code == CUDA_ERROR_LAUNCH_TIMEOUT || code == CUDA_ERROR_ASSERT ||
      (code >= CUDA_ERROR_HARDWARE_STACK_ERROR && code <= CUDA_ERROR_LAUNCH_FAILED);
}

void breakContext(int code, const std::string& text) {
  if (context().error) return;  // the first fault is the cause, later ones are its consequences
  context().error = code;
  note(text);
}

int deviceError() { return bench().lostCode ? bench().lostCode : context().error; }

int enterDriver(const char* call) {
  int code = enter(call);
  if (breaksContext(code)) breakContext(code, std::string(call) + ": ordered failure");
  return code ? code : bench().lostCode;
}

bool hasContext() { return !current.empty() && isContext(current.back()); }

int needsInit() { return context().initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED; }

int needsContext() {
  if (int code = needsInit()) return code;
  return hasContext() ? context().error : CUDA_ERROR_INVALID_CONTEXT;
}

}  // namespace emu

using namespace emu;

CU_API cuInit(unsigned flags) {
  CU_ENTER_ANY("cuInit");
  if (flags) return CUDA_ERROR_INVALID_VALUE;
  if (number("DEVICE_COUNT") < 1) return CUDA_ERROR_NO_DEVICE;
  context().initialised = arena().open();
  return context().initialised ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CU_API cuDriverGetVersion(int* version) {
  CU_ENTER_ANY("cuDriverGetVersion");
  *version = static_cast<int>(number("DRIVER_VERSION"));
  return CUDA_SUCCESS;
}

CU_API cuDevicePrimaryCtxRetain(CUcontext* c, CUdevice device) {
  CU_ENTER("cuDevicePrimaryCtxRetain");
  if (device < 0 || device >= number("DEVICE_COUNT")) return CUDA_ERROR_INVALID_DEVICE;
  if (context().error) return context().error;
  context().retained++;
  track(PRIMARY, "primary context");
  *c = PRIMARY;
  return CUDA_SUCCESS;
}

CU_API cuDevicePrimaryCtxRelease_v2(CUdevice) {
  CU_ENTER("cuDevicePrimaryCtxRelease_v2");
  if (!context().retained) return CUDA_ERROR_INVALID_CONTEXT;
  if (--context().retained == 0) {
    untrack(PRIMARY);
    endLast();
  }
  return CUDA_SUCCESS;
}

CU_API cuDevicePrimaryCtxReset_v2(CUdevice) {
  CU_ENTER("cuDevicePrimaryCtxReset_v2");
  endBroken();
  return CUDA_SUCCESS;
}

CU_API cuDevicePrimaryCtxGetState(CUdevice, unsigned* flags, int* active) {
  CU_ENTER("cuDevicePrimaryCtxGetState");
  *flags = 0;
  *active = context().retained > 0;
  return CUDA_SUCCESS;
}

CU_API cuDevicePrimaryCtxSetFlags_v2(CUdevice, unsigned) {
  CU_ENTER("cuDevicePrimaryCtxSetFlags_v2");
  return CUDA_SUCCESS;
}

CU_API cuCtxCreate_v2(CUcontext* c, unsigned, CUdevice) {
  CU_ENTER("cuCtxCreate_v2");
  *c = static_cast<CUcontext>(freshHandle());
  created.insert(*c);
  track(*c, "context");
  current.push_back(*c);
  return CUDA_SUCCESS;
}

CU_API cuCtxDestroy_v2(CUcontext c) {
  CU_ENTER("cuCtxDestroy_v2");
  if (!created.erase(c)) return CUDA_ERROR_INVALID_CONTEXT;
  untrack(c);
  if (!current.empty() && current.back() == c) current.pop_back();
  endLast();
  return CUDA_SUCCESS;
}

CU_API cuCtxSetCurrent(CUcontext c) {
  CU_ENTER("cuCtxSetCurrent");
  if (c && !isContext(c)) return CUDA_ERROR_INVALID_CONTEXT;
  if (!current.empty()) current.pop_back();
  if (c) current.push_back(c);
  return CUDA_SUCCESS;
}

CU_API cuCtxGetCurrent(CUcontext* c) {
  CU_ENTER("cuCtxGetCurrent");
  *c = current.empty() ? nullptr : current.back();
  return CUDA_SUCCESS;
}

CU_API cuCtxPushCurrent_v2(CUcontext c) {
  CU_ENTER("cuCtxPushCurrent_v2");
  if (!isContext(c)) return CUDA_ERROR_INVALID_CONTEXT;
  current.push_back(c);
  return CUDA_SUCCESS;
}

CU_API cuCtxPopCurrent_v2(CUcontext* c) {
  CU_ENTER("cuCtxPopCurrent_v2");
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  if (c) *c = current.back();
  current.pop_back();
  return CUDA_SUCCESS;
}

CU_API cuCtxGetDevice(CUdevice* device) {
  CU_ENTER_CONTEXT("cuCtxGetDevice");
  *device = 0;
  return CUDA_SUCCESS;
}

CU_API cuCtxSynchronize() {
  CU_ENTER_CONTEXT("cuCtxSynchronize");
  if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  drainAll();
  return context().error;
}

CU_API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  CU_ENTER_CONTEXT("cuCtxGetStreamPriorityRange");
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return CUDA_SUCCESS;
}
