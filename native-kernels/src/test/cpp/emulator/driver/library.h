// A library of kernels compiled for the CPU, in one private copy per worker: all state of a kernel is static in it.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "../device/abi.h"

namespace emu {

class KernelLibrary {
 public:
  /** The library with these bytes, loaded once per process; null, with the reason noted, when it cannot be loaded. */
  static KernelLibrary* load(const std::string& bytes);

  /** All libraries that the build made from the project's kernel sources. */
  static const std::vector<KernelLibrary*>& built();

  const EmuKernel* find(const std::string& name) const;

  /** Bytes of the __shared__ variables of a kernel. */
  size_t staticShared(const EmuKernel& kernel) const;

  int architecture() const { return copies_[0].library->architecture; }

  const EmuLibrary& table() const { return *copies_[0].library; }

  /** Runs a whole grid; the fault's code is 0 when all went well. */
  void launch(const EmuKernel& kernel, EmuLaunch launch, EmuFault* fault);

 private:
  struct Copy {
    const EmuLibrary* library;
    uintptr_t start, end;  // where it was loaded
  };

  bool addCopy();

  std::string bytes_;
  std::vector<Copy> copies_;
};

}  // namespace emu
