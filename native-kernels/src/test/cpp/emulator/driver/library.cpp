#include "library.h"
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include "../core/bench.h"

namespace emu {
namespace {

constexpr uint64_t SMALL_LAUNCH = 8192;  // threads; below this one worker is faster than two

std::string folderOfThisLibrary() {
  Dl_info info;
  dladdr(reinterpret_cast<void*>(&folderOfThisLibrary), &info);
  std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/'));
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Span {
  uintptr_t base, start, end;
};

/** The addresses at which a loaded library lies. */
Span spanOf(void* handle) {
  Span span{static_cast<link_map*>(handle)->l_addr, ~uintptr_t{0}, 0};
  dl_iterate_phdr([](dl_phdr_info* info, size_t, void* data) {
    auto* s = static_cast<Span*>(data);
    if (info->dlpi_addr != s->base) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
      const auto& header = info->dlpi_phdr[i];
      if (header.p_type != PT_LOAD) continue;
      s->start = std::min<uintptr_t>(s->start, info->dlpi_addr + header.p_vaddr);
      s->end = std::max<uintptr_t>(s->end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
    }
    return 1;
  }, &span);
  return span;
}

std::map<std::string, std::unique_ptr<KernelLibrary>>& loaded() {
  static std::map<std::string, std::unique_ptr<KernelLibrary>> instance;
  return instance;
}

}  // namespace

bool KernelLibrary::addCopy() {
  // The descriptor stays open: the loader knows a library by its path, and a reused number would be the same path.
  int file = memfd_create("kernels", MFD_CLOEXEC);
  for (size_t at = 0; file >= 0 && at < bytes_.size();) {
    ssize_t n = write(file, bytes_.data() + at, bytes_.size() - at);
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  void* handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  auto* library = handle ? static_cast<const EmuLibrary*>(dlsym(handle, "emu_library")) : nullptr;
  if (!library || library->version != EMU_ABI) {
    const char* reason = dlerror();
    note(std::string("kernels for the CPU do not load: ") + (reason ? reason : "wrong version"));
    return false;
  }
  Span span = spanOf(handle);
  copies_.push_back({library, span.start, span.end});
  return true;
}

KernelLibrary* KernelLibrary::load(const std::string& bytes) {
  auto& entry = loaded()[bytes];
  if (!entry) {
    auto library = std::make_unique<KernelLibrary>();
    library->bytes_ = bytes;
    if (!library->addCopy()) return nullptr;
    entry = std::move(library);
  }
  return entry.get();
}

const std::vector<KernelLibrary*>& KernelLibrary::built() {
  static const std::vector<KernelLibrary*> all = [] {
    std::vector<KernelLibrary*> found;
    std::string folder = folderOfThisLibrary() + "/kernels";
    if (DIR* entries = opendir(folder.c_str())) {
      while (dirent* entry = readdir(entries)) {
        std::string name = entry->d_name;
        if (name.size() < 3 || name.compare(name.size() - 3, 3, ".so") != 0) continue;
        if (KernelLibrary* library = load(contents(folder + "/" + name))) found.push_back(library);
      }
      closedir(entries);
    }
    return found;
  }();
  return all;
}

const EmuKernel* KernelLibrary::find(const std::string& name) const {
  for (int i = 0; i < table().kernelCount; i++) {
    if (name == table().kernels[i].name) return &table().kernels[i];
  }
  return nullptr;
}

size_t KernelLibrary::staticShared(const EmuKernel& kernel) const {
  // A __shared__ variable s of kernel k is the object _ZZ1kE1s in the section emu_shared.
  std::string prefix = "_ZZ" + std::to_string(std::strlen(kernel.name)) + kernel.name + "E";
  const char* image = bytes_.data();
  auto* header = reinterpret_cast<const Elf64_Ehdr*>(image);
  auto* sections = reinterpret_cast<const Elf64_Shdr*>(image + header->e_shoff);
  const char* sectionNames = image + sections[header->e_shstrndx].sh_offset;
  size_t sum = 0;
  for (int i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    auto* symbols = reinterpret_cast<const Elf64_Sym*>(image + sections[i].sh_offset);
    const char* names = image + sections[sections[i].sh_link].sh_offset;
    for (size_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); s++) {
      const Elf64_Sym& symbol = symbols[s];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx >= header->e_shnum) continue;
      if (std::strcmp(sectionNames + sections[symbol.st_shndx].sh_name, "emu_shared") != 0) continue;
      if (std::strncmp(names + symbol.st_name, prefix.c_str(), prefix.size()) == 0) sum += (symbol.st_size + 15) & ~15u;
    }
  }
  return sum;
}

void KernelLibrary::launch(const EmuKernel& kernel, EmuLaunch launch, EmuFault* fault) {
  static uint32_t stamp = 1;  // of the race check: grows over all launches, so that old entries never match
  if (stamp > UINT32_MAX / 2) {
    madvise(launch.memory.accesses, launch.memory.size / 4 * sizeof(EmuAccess), MADV_DONTNEED);  // back to zeros
    stamp = 1;
  }
  uint64_t blocks = uint64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  uint64_t threads = blocks * launch.block[0] * launch.block[1] * launch.block[2];
  size_t workers = static_cast<size_t>(std::max<int64_t>(1, number("WORKERS")));
  if (launch.races || threads < SMALL_LAUNCH) workers = 1;
  workers = std::min<uint64_t>(workers, blocks);
  while (copies_.size() < workers && addCopy()) {}
  workers = std::min(workers, copies_.size());
  size_t index = static_cast<size_t>(&kernel - table().kernels);
  std::vector<EmuFault> faults(workers, EmuFault{});
  auto work = [&](size_t w) {
    EmuLaunch mine = launch;
    mine.imageStart = copies_[w].start;
    mine.imageEnd = copies_[w].end;
    mine.stamp = stamp;
    const EmuLibrary& library = *copies_[w].library;
    library.launch(&library.kernels[index], &mine, w, workers, &faults[w]);
    if (launch.races) stamp = mine.stamp;
  };
  std::vector<std::thread> others;
  for (size_t w = 1; w < workers; w++) others.emplace_back(work, w);
  work(0);
  for (auto& other : others) other.join();
  for (const EmuFault& found : faults) {
    if (found.code && !fault->code) *fault = found;
  }
}

}  // namespace emu
