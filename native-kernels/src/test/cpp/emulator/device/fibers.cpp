// Runs the threads of a block as fibers of one CPU thread. A thread that never waits hands its fiber to the next.
#include <sys/mman.h>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>
#include "runtime.h"

extern "C" {
uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
}

// Saves the registers that a called function must keep, and changes the stack.
#if defined(__x86_64__)
extern "C" __attribute__((visibility("hidden"))) void emu_switch(void** from, void* to);
asm(R"(
.text
.hidden emu_switch
.globl emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emu_switch,.-emu_switch
)");
#else
#error "the emulator runs on x86-64 only"
#endif

namespace emu {

Block block;
char* dynamicShared;

namespace {

constexpr size_t SLOT_BYTES = STACK_BYTES + GUARD_BYTES;

char* stacks;
int stacksReady;                     // stacks whose guard page is set
void* savedStack[MAX_THREADS];
std::vector<int> freeFibers;
void* launcherStack;
int order[MAX_THREADS], unstarted;   // threads start in this order, from `unstarted` on
int readyQueue[MAX_THREADS], readyFirst, readyCount;
bool stopped;                        // by a fault

int takeReady() {
  int thread = readyQueue[readyFirst];
  readyFirst = (readyFirst + 1) % MAX_THREADS;
  readyCount--;
  return thread;
}

void makeCurrent(int thread) {
  block.current = thread;
  threadIdx = block.thread[thread].index;
}

/** Runs threads, one after the other, on the stack of one fiber. */
void fiberMain() {
  for (;;) {
    int self = block.thread[block.current].fiber;
    block.kernel->invoke(block.launch->parameters);
    block.thread[block.current].state = State::DONE;
    block.alive--;
    if (unstarted < block.threads) {
      int next = order[unstarted++];
      block.thread[next].fiber = self;
      block.thread[next].state = State::READY;
      makeCurrent(next);
      continue;
    }
    freeFibers.push_back(self);
    void* to = launcherStack;
    if (readyCount) {
      makeCurrent(takeReady());
      to = savedStack[block.thread[block.current].fiber];
    }
    emu_switch(&savedStack[self], to);
  }
}

/** A stack on which a switch enters fiberMain; 16-byte aligned as after a call. */
void prepareStack(int fiber) {
  char* bottom = stacks + fiber * SLOT_BYTES;
  if (fiber >= stacksReady) {
    mprotect(bottom, GUARD_BYTES, PROT_NONE);
    stacksReady = fiber + 1;
  }
  void** top = reinterpret_cast<void**>(bottom + SLOT_BYTES);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(fiberMain);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  savedStack[fiber] = top;
}

void startNext() {
  int next = order[unstarted++];
  int fiber = freeFibers.back();
  freeFibers.pop_back();
  block.thread[next].fiber = fiber;
  block.thread[next].state = State::READY;
  makeCurrent(next);
}

/** All threads wait for each other. */
void reportDivergence() {
  int waiting = 0, inWarp = 0, line = 0, otherLine = 0;
  const char* operation = "a warp operation";
  for (int t = 0; t < block.threads; t++) {
    const Thread& thread = block.thread[t];
    if (thread.state == State::AT_WARP_OPERATION) {
      inWarp++;
      const WarpState& warp = block.warp[t / WARP];
      for (const Meeting& m : warp.meeting) {
        bool used = warp.meetings >> (&m - warp.meeting) & 1;
        if (used && m.arrived != m.expected && (m.arrived >> t % WARP & 1)) operation = m.operation;
      }
    }
    if (thread.state != State::AT_BARRIER) continue;
    waiting++;
    if (!line) line = thread.line;
    if (thread.line != line) otherLine = thread.line;
  }
  block.fault->code = LAUNCH_FAILED;
  std::snprintf(block.fault->text, sizeof block.fault->text,
      "kernel %s block (%u,%u,%u): barrier divergence: %d of %d threads wait at __syncthreads%s, %d at %s, %d exited",
      block.kernel->name, blockIdx.x, blockIdx.y, blockIdx.z, waiting, block.threads,
      otherLine ? " in different lines" : "", inWarp, operation, block.threads - block.alive);
}

void runBlock() {
  for (int t = 0; t < block.threads; t++) {
    unsigned u = static_cast<unsigned>(t);
    uint3 index = {u % blockDim.x, u / blockDim.x % blockDim.y, u / (blockDim.x * blockDim.y)};
    block.thread[t] = {index, -1, State::UNSTARTED, 0};
  }
  for (int w = 0; w * WARP < block.threads; w++) {
    block.warp[w].turn = 0;
    block.warp[w].meetings = 0;
  }
  block.alive = block.threads;
  block.waiting = 0;
  block.usedAtomics = false;
  block.blockStamp = ++block.stamp;
  unstarted = readyFirst = readyCount = 0;
  poisonShared();
  if (freeFibers.empty()) {
    for (int f = block.threads; f-- > 0;) freeFibers.push_back(f);
    for (int f = 0; f < block.threads; f++) prepareStack(f);
  }
  startNext();
  emu_switch(&launcherStack, savedStack[block.thread[block.current].fiber]);
  if (!stopped && block.alive) reportDivergence();
  stopped = block.fault->code != 0;
}

/** The position of the nth thread or block: a multiple of a prime visits each of fewer than `count` once. */
uint64_t place(uint64_t n, uint64_t count, int rule) {
  constexpr uint64_t PRIME = 2147483659u;
  return rule == EMU_FORWARD ? n : rule == EMU_REVERSE ? count - 1 - n : n * PRIME % count;
}

void launchAll(const EmuKernel* kernel, EmuLaunch* launch, uint64_t first, uint64_t stride, EmuFault* fault) {
  if (!stacks) {
    stacks = static_cast<char*>(mmap(nullptr, SLOT_BYTES * MAX_THREADS, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    dynamicShared = static_cast<char*>(mmap(nullptr, MAX_DYNAMIC_SHARED, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  block.kernel = kernel;
  block.launch = launch;
  block.fault = fault;
  block.threads = static_cast<int>(launch->block[0] * launch->block[1] * launch->block[2]);
  block.stamp = launch->stamp;
  block.launchStamp = launch->stamp + 1;
  gridDim = {launch->grid[0], launch->grid[1], launch->grid[2]};
  blockDim = {launch->block[0], launch->block[1], launch->block[2]};
  startRaceCheck();
  freeFibers.clear();
  stopped = false;
  uint64_t n = static_cast<uint64_t>(block.threads);
  for (uint64_t t = 0; t < n; t++) order[t] = static_cast<int>(place(t, n, launch->order));
  uint64_t blocks = uint64_t{gridDim.x} * gridDim.y * gridDim.z;
  for (uint64_t i = first; i < blocks && !stopped; i += stride) {
    uint64_t b = place(i, blocks, launch->order);
    blockIdx = {static_cast<unsigned>(b % gridDim.x), static_cast<unsigned>(b / gridDim.x % gridDim.y),
        static_cast<unsigned>(b / gridDim.x / gridDim.y)};
    runBlock();
  }
  launch->stamp = block.stamp;
}

}  // namespace

void wake(int thread) {
  block.thread[thread].state = State::READY;
  readyQueue[(readyFirst + readyCount++) % MAX_THREADS] = thread;
}

void waitFor(State state) {
  Thread& thread = block.thread[block.current];
  thread.state = state;
  void* to = launcherStack;  // which finds that no thread can go on
  if (unstarted < block.threads) {
    startNext();
    to = savedStack[block.thread[block.current].fiber];
  } else if (readyCount) {
    makeCurrent(takeReady());
    to = savedStack[block.thread[block.current].fiber];
  }
  emu_switch(&savedStack[thread.fiber], to);
}

void fail(int code, uintptr_t address, const char* format, ...) {
  char what[320];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  block.fault->code = code;
  block.fault->address = address;
  std::snprintf(block.fault->text, sizeof block.fault->text, "kernel %s block (%u,%u,%u) thread (%u,%u,%u): %s",
      block.kernel->name, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z, what);
  stopped = true;
  void* abandoned;
  emu_switch(&abandoned, launcherStack);
  __builtin_unreachable();
}

bool onStack(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(stacks) < SLOT_BYTES * MAX_THREADS;
}

}  // namespace emu

// Written behind the kernels' text, see nvrtc/compiler.cpp.
extern "C" EMU_HIDDEN const EmuKernel emu_kernels[];
extern "C" EMU_HIDDEN const int emu_kernel_count;
extern "C" EMU_HIDDEN const int emu_architecture;

extern "C" __attribute__((visibility("default"))) EmuLibrary emu_library;
EmuLibrary emu_library;

__attribute__((constructor)) static void fillTable() {
  emu_library = {EMU_ABI, emu_architecture, emu_kernels, emu_kernel_count, emu::launchAll};
}
