#include "bench.h"
#include <algorithm>
#include <cstdlib>

namespace emu {
namespace {

const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> values = {
      {"DRIVER_VERSION", "12060"},
      {"COMPUTE_CAPABILITY", "8.0"},
      {"MEMORY_BYTES", "4294967296"},
      {"DEVICE_COUNT", "1"},
      {"DEVICE_NAME", "Emulated GPU"},
      {"THREAD_ORDER", "forward"},
      {"RACE_CHECK", "false"},
      {"DEFERRED_STREAMS", "false"},
      {"WORKERS", "1"},
      {"CUBLAS_VERSION", "120601"},
      {"CUDNN_VERSION", "90500"},
      {"CUDNN_UNSUPPORTED", ""},
      {"NVRTC_ARCHITECTURES", "50,52,53,60,61,62,70,72,75,80,86,87,89,90"},
      {"NVRTC_BROKEN", "false"},
  };
  return values;
}

/** The documented name: cuMemAlloc for cuMemAlloc_v2. cuDNN's _v7 and _v8 are part of its names. */
std::string documented(const char* call) {
  std::string name = call;
  size_t end = name.size() < 3 ? 0 : name.size() - 3;
  if (name.compare(end, 3, "_v2") == 0 || name.compare(end, 3, "_v3") == 0) name.resize(end);
  return name;
}

uintptr_t lastHandle = 0x10000;

}  // namespace

Bench& bench() {
  static Bench* instance = new Bench;  // never destroyed: other libraries may end later
  return *instance;
}

std::recursive_mutex& mutex() {
  static std::recursive_mutex* instance = new std::recursive_mutex;
  return *instance;
}

void count(const char* call) { bench().calls[documented(call)]++; }

int enter(const char* call) {
  count(call);
  std::string name = documented(call);
  Bench& b = bench();
  for (auto it = b.failures.begin(); it != b.failures.end(); ++it) {
    if (it->call != name || --it->countdown > 0) continue;
    OrderedFailure failure = *it;
    b.failures.erase(it);
    if (failure.forever) b.lostCode = failure.code;
    return failure.forever ? 0 : failure.code;
  }
  return 0;
}

void note(const std::string& text) { bench().lastFault = text; }

std::string knob(const char* name) {
  auto set = bench().knobs.find(name);
  if (set != bench().knobs.end()) return set->second;
  auto standard = defaults().find(name);
  return standard == defaults().end() ? "" : standard->second;
}

int64_t number(const char* name) { return std::strtoll(knob(name).c_str(), nullptr, 10); }

bool flag(const char* name) { return knob(name) == "true"; }

void onReset(std::function<void()> forget) { bench().forgetters.push_back(std::move(forget)); }

void track(void* handle, const std::string& text) { bench().objects[handle] = text; }

void untrack(void* handle) { bench().objects.erase(handle); }

void* freshHandle() { return reinterpret_cast<void*>(lastHandle += 16); }

void reset() {
  Bench& b = bench();
  for (auto& forget : b.forgetters) forget();
  b.knobs.clear();
  b.failures.clear();
  b.calls.clear();
  b.objects.clear();
  b.lastFault.clear();
  b.lostCode = 0;
}

}  // namespace emu
