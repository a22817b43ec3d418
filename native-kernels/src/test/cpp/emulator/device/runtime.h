// State of the block that runs now, shared by the parts of the runtime. One such runtime is linked into every library
// of kernels, and one thread at a time runs in it.
#pragma once
#include "abi.h"
#include "emu_calls.h"

namespace emu {

constexpr int MAX_THREADS = 1024, WARP = 32, MAX_WARPS = MAX_THREADS / WARP;
constexpr size_t STACK_BYTES = 128 << 10, GUARD_BYTES = 4096;
constexpr size_t MAX_DYNAMIC_SHARED = 256 << 10;

enum class State : uint8_t { UNSTARTED, READY, AT_BARRIER, AT_WARP_OPERATION, DONE };

struct Thread {
  uint3 index;
  int fiber;
  State state;
  int line;  // of the barrier where it waits
};

/** Lanes of one warp that do one operation together. */
struct Meeting {
  uint32_t expected, arrived, unread;  // bit per lane
  const char* operation;
  union {
    uint64_t slots[WARP];  // values that lanes exchange
    struct {
      float a[16][16];     // operands of a matrix product: a by columns,
      float b[16][8];      // b by rows
    };
  };
};

struct WarpState {
  uint16_t turn;      // operations since the last barrier of the block
  uint64_t meetings;  // bit per used element of `meeting`
  Meeting meeting[64];
};

struct Block {
  const EmuKernel* kernel;
  EmuLaunch* launch;
  EmuFault* fault;
  int threads, alive, waiting, current;
  uint32_t launchStamp, blockStamp, stamp;  // see EmuAccess
  bool usedAtomics;                         // by which blocks may order themselves: then they may read each other
  Thread thread[MAX_THREADS];
  WarpState warp[MAX_WARPS];
};

extern Block block;
extern char* dynamicShared;
extern char* sharedStart;  // of the __shared__ variables of this library
extern size_t sharedBytes;

/** Lets other threads run until this one is ready again. */
void waitFor(State state);

/** Makes a waiting thread ready. */
void wake(int thread);

/** Ends the launch with a fault of the current thread. Does not return. */
[[noreturn]] void fail(int code, uintptr_t address, const char* format, ...) __attribute__((format(printf, 3, 4)));

/** Whether the address is on the stack of an emulated thread. */
bool onStack(uintptr_t address);

/** Sets static and dynamic shared memory to 0xFF. */
void poisonShared();

/** Prepares the race check of shared memory for a launch. */
void startRaceCheck();

inline int lanesOf(int warp) {
  int rest = block.threads - warp * WARP;
  return rest < WARP ? rest : WARP;
}

constexpr int ILLEGAL_ADDRESS = 700, ILLEGAL_INSTRUCTION = 715, MISALIGNED_ADDRESS = 716, LAUNCH_FAILED = 719;

}  // namespace emu
