// Modules and functions.
#pragma once
#include <string>
#include "api.h"
#include "library.h"

namespace emu {

struct Function {
  KernelLibrary* library;
  const EmuKernel* kernel;
  size_t staticShared;
  int maxDynamicShared;
};

/** The function behind a handle; null once its module is unloaded. */
Function* functionOf(CUfunction handle);

}  // namespace emu
