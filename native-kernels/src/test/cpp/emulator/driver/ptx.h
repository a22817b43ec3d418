// Reading PTX text: what the driver's compiler would refuse, and the signatures of its entries.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace emu {

struct Ptx {
  int isa = 0;     // 10 * major + minor of .version, or 0 without one
  int target = 0;  // number in .target sm_NN, or 0
  std::map<std::string, std::vector<unsigned>> entries;  // name to the bytes of its parameters
  std::string hostLibrary;  // kernels compiled for the CPU that the emulated NVRTC hid in comments
};

Ptx readPtx(const std::string& text);

/** The newest PTX ISA, as 10 * major + minor, that a driver of this CUDA version reads. */
int newestIsa(int driverVersion);

}  // namespace emu
