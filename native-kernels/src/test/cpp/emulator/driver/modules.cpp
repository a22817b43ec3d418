#include "modules.h"
#include <elf.h>
#include <algorithm>
#include <cstring>
#include <map>
#include "../core/bench.h"
#include "../core/handles.h"
#include "context.h"
#include "devices.h"
#include "ptx.h"
#include "streams.h"

namespace emu {
namespace {

struct Module {
  KernelLibrary* library = nullptr;  // null for PTX: then the libraries of the build are searched
  Ptx ptx;
  std::map<std::string, CUfunction> functions;
};

Handles<Module>& modules() {
  static Handles<Module> instance("module");
  return instance;
}

std::map<CUfunction, Function>& functions() {
  static std::map<CUfunction, Function> instance;
  return instance;
}

const bool registered = [] {
  onReset([] { functions().clear(); });
  onContextEnd([] {
    modules().clear();
    functions().clear();
  });
  return true;
}();

std::string isaText(int isa) { return std::to_string(isa / 10) + "." + std::to_string(isa % 10); }

/** An ELF image: real cubins are for a GPU, those of the emulated NVRTC are for this CPU. */
int loadElf(Module& module, const char* image, std::string* log) {
  auto* header = reinterpret_cast<const Elf64_Ehdr*>(image);
  if (header->e_machine != EM_X86_64) return CUDA_ERROR_NO_BINARY_FOR_GPU;
  size_t size = header->e_shoff + size_t{header->e_shnum} * header->e_shentsize;
  module.library = KernelLibrary::load(std::string(image, size));
  if (!module.library) return CUDA_ERROR_INVALID_IMAGE;
  int cubin = module.library->architecture(), device = limits().capability;
  if (cubin / 10 == device / 10 && cubin % 10 <= device % 10) return CUDA_SUCCESS;
  *log = "cubin for sm_" + std::to_string(cubin) + " does not run on sm_" + std::to_string(device);
  return CUDA_ERROR_NO_BINARY_FOR_GPU;
}

/** The signatures of entries must be those of the kernels that will run in their place. */
int compareEntries(const Module& module, std::string* log) {
  for (auto& entry : module.ptx.entries) {
    const EmuKernel* kernel = nullptr;
    for (KernelLibrary* library : KernelLibrary::built()) {
      if (!kernel) kernel = library->find(entry.first);
    }
    if (!kernel) continue;
    std::vector<unsigned> bytes(kernel->parameterBytes, kernel->parameterBytes + kernel->parameterCount);
    if (bytes == entry.second) continue;
    *log = "parameters of PTX entry " + entry.first + " differ from those of its source: the PTX is out of date";
    return CUDA_ERROR_INVALID_PTX;
  }
  return CUDA_SUCCESS;
}

int loadPtx(Module& module, const char* image, std::string* log) {
  module.ptx = readPtx(image);
  const Ptx& ptx = module.ptx;
  int newest = newestIsa(static_cast<int>(number("DRIVER_VERSION")));
  if (!ptx.isa || !ptx.target) {
    *log = "ptxas fatal   : Missing .version or .target directive at start of file";
    return CUDA_ERROR_INVALID_PTX;
  }
  if (ptx.isa > newest) {
    *log = "ptxas fatal   : Unsupported .version " + isaText(ptx.isa) + "; current version is '" +
        isaText(newest) + "'";
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  }
  if (ptx.target > limits().capability) {
    *log = "ptxas fatal   : SM version specified by .target is higher than default SM version assumed";
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  if (ptx.hostLibrary.empty()) return compareEntries(module, log);
  module.library = KernelLibrary::load(ptx.hostLibrary);
  return module.library ? CUDA_SUCCESS : CUDA_ERROR_INVALID_IMAGE;
}

int loadModule(CUmodule* handle, const void* image, std::string* log) {
  if (!image) return CUDA_ERROR_INVALID_VALUE;
  auto module = std::make_unique<Module>();
  auto* bytes = static_cast<const char*>(image);
  bool elf = std::memcmp(bytes, ELFMAG, SELFMAG) == 0;
  int code = elf ? loadElf(*module, bytes, log) : loadPtx(*module, bytes, log);
  if (code) {
    if (!log->empty()) note("cuModuleLoadData: " + *log);
    return code;
  }
  modules().add(handle, std::move(module));
  return CUDA_SUCCESS;
}

/** Writes the log into the buffer that the caller passed as JIT options, and its length back into them. */
void answerLog(const std::string& log, unsigned count, const int* options, void** values) {
  constexpr int ERROR_LOG = 5, ERROR_LOG_BYTES = 6;
  char* buffer = nullptr;
  void** size = nullptr;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == ERROR_LOG) buffer = static_cast<char*>(values[i]);
    if (options[i] == ERROR_LOG_BYTES) size = &values[i];
  }
  if (!buffer || !size) return;
  size_t room = reinterpret_cast<uintptr_t>(*size) & 0xffffffff;
  size_t length = room ? std::min(log.size(), room - 1) : 0;
  if (room) {
    std::memcpy(buffer, log.data(), length);
    buffer[length] = 0;
  }
  *size = reinterpret_cast<void*>(length ? length + 1 : 0);
}

/** Looks for a kernel where the module may have it. */
bool findKernel(const Module& module, const std::string& name, Function* found) {
  if (!module.library && !module.ptx.entries.count(name)) return false;
  std::vector<KernelLibrary*> libraries = KernelLibrary::built();
  if (module.library) libraries = {module.library};
  for (KernelLibrary* library : libraries) {
    if (const EmuKernel* kernel = library->find(name)) {
      size_t fixed = library->staticShared(*kernel);
      *found = {library, kernel, fixed, SHARED_PER_BLOCK - static_cast<int>(fixed)};
      return true;
    }
  }
  note("cuModuleGetFunction: no kernel " + name + " among those compiled for the CPU");
  return false;
}

}  // namespace

Function* functionOf(CUfunction handle) {
  auto it = functions().find(handle);
  return it == functions().end() ? nullptr : &it->second;
}

}  // namespace emu

using namespace emu;

CU_API cuModuleLoadData(CUmodule* handle, const void* image) {
  CU_ENTER_CONTEXT("cuModuleLoadData");
  std::string log;
  return loadModule(handle, image, &log);
}

CU_API cuModuleLoadDataEx(CUmodule* handle, const void* image, unsigned count, int* options, void** values) {
  CU_ENTER_CONTEXT("cuModuleLoadDataEx");
  std::string log;
  int code = loadModule(handle, image, &log);
  answerLog(log, count, options, values);
  return code;
}

CU_API cuModuleUnload(CUmodule handle) {
  CU_ENTER_CONTEXT("cuModuleUnload");
  Module* module = modules().find(handle);
  if (!module) return CUDA_ERROR_INVALID_HANDLE;
  for (auto& entry : module->functions) functions().erase(entry.second);
  modules().remove(handle);
  return CUDA_SUCCESS;
}

CU_API cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
  CU_ENTER_CONTEXT("cuModuleGetFunction");
  Module* module = modules().find(handle);
  if (!module) return CUDA_ERROR_INVALID_HANDLE;
  CUfunction& known = module->functions[name];
  if (!known) {
    Function found;
    if (!findKernel(*module, name, &found)) {
      module->functions.erase(name);
      return CUDA_ERROR_NOT_FOUND;
    }
    known = static_cast<CUfunction>(freshHandle());
    functions()[known] = found;
  }
  *function = known;
  return CUDA_SUCCESS;
}

CU_API cuModuleGetGlobal_v2(CUdeviceptr*, size_t*, CUmodule handle, const char*) {
  CU_ENTER_CONTEXT("cuModuleGetGlobal_v2");
  if (!modules().find(handle)) return CUDA_ERROR_INVALID_HANDLE;
  return CUDA_ERROR_NOT_FOUND;  // __device__ variables have no address here
}
