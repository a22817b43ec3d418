// The border between the emulated driver and a library of compiled kernels. Both sides include this file.
#pragma once
#include <cstddef>
#include <cstdint>

/**
 * Who last used four bytes, for the race check. A stamp counts up at every block and every barrier of a block, so it
 * tells launches, blocks and barriers apart; a turn counts the operations of the thread's warp since that stamp.
 */
struct EmuAccess {
  uint32_t writeStamp, readStamp;
  uint32_t otherReadStamp;  // the last read by a block before that of readStamp
  uint16_t writeThread, readThread, writeTurn, readTurn;
  uint8_t writeBytes, readBytes;  // bit per byte
  uint8_t readers;                // EmuReaders, at readStamp
};

enum EmuReaders : uint8_t { EMU_ONE_READER, EMU_ONE_WARP, EMU_SEVERAL_WARPS };

/** The device memory that kernels may use. */
struct EmuMemory {
  uintptr_t base, size;
  const uint8_t* shadow;  // per 8 bytes: how many of them, from the first, may be used
  EmuAccess* accesses;    // per 4 bytes
};

enum EmuOrder { EMU_FORWARD, EMU_REVERSE, EMU_SHUFFLED };

struct EmuLaunch {
  unsigned grid[3], block[3];
  size_t dynamicShared;
  void** parameters;
  EmuMemory memory;
  uintptr_t imageStart, imageEnd;  // the library itself: its constants may be read
  int order;                       // EmuOrder, of blocks and of threads in a block
  bool races;
  uint32_t stamp;                  // in: greater than any stamp used before; out: the greatest used
};

struct EmuFault {
  int code;           // CUresult, 0 while there is none
  uintptr_t address;  // what was touched, or 0
  char text[480];
};

struct EmuKernel {
  const char* name;
  void (*invoke)(void** parameters);
  int parameterCount;
  const unsigned* parameterBytes;
  uint64_t pointers;  // bit i: parameter i is a pointer
  int maxThreads;     // from __launch_bounds__, or 0
};

/** What a library of kernels exports as the object `emu_library`. */
struct EmuLibrary {
  int version;       // EMU_ABI
  int architecture;  // 10 * major + minor it was compiled for, or 0
  const EmuKernel* kernels;
  int kernelCount;
  /** Runs blocks first, first + stride, ... of the grid. */
  void (*launch)(const EmuKernel* kernel, EmuLaunch* launch, uint64_t first, uint64_t stride, EmuFault* fault);
};

constexpr int EMU_ABI = 1;
