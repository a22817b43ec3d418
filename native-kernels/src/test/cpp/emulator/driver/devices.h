// The numbers of the pretended device that other parts need.
#pragma once

namespace emu {

/** What one compute capability allows, from the table "Technical Specifications" of the CUDA programming guide. */
struct Limits {
  int capability;          // 10 * major + minor
  int sharedPerBlockOptIn; // bytes
  int sharedPerProcessor;  // bytes
  int threadsPerProcessor;
  int blocksPerProcessor;
};

Limits limits();

constexpr int SHARED_PER_BLOCK = 48 << 10;  // without opting in
constexpr int SHARED_RESERVED = 1 << 10;    // by the system, in each block
constexpr int THREADS_PER_BLOCK = 1024;

}  // namespace emu
