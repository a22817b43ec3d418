// Compiles one file of kernels at build time: build_kernels HOME FILE NAME RESULT.so.
#include <fstream>
#include <iostream>
#include "compiler.h"

// That of the emulated device unless a test changes it, so that the emulated NVRTC finds these results in its cache.
constexpr int ARCHITECTURE = 80;

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "build_kernels HOME FILE NAME RESULT.so\n";
    return 2;
  }
  emu::Compiled compiled = emu::compileForHost(arguments[1], emu::readFile(arguments[2]), arguments[3], {}, ARCHITECTURE);
  std::cerr << compiled.log;
  if (!compiled.good) return 1;
  std::ofstream(arguments[4], std::ios::binary) << compiled.library;
  return 0;
}
