// Compiles the text of CUDA kernels for the CPU with g++.
#pragma once
#include <string>
#include <vector>

namespace emu {

struct Compiled {
  bool good;
  std::string library;  // bytes of a shared library whose table is declared in device/abi.h
  std::string log;      // what the compiler said
};

/** `home` holds what build.sh put there: headers, runtime.o and flags. `architecture` is 10 * major + minor. */
Compiled compileForHost(const std::string& home, const std::string& text, const std::string& name,
    const std::vector<std::string>& definitions, int architecture);

std::string readFile(const std::string& path);

}  // namespace emu
