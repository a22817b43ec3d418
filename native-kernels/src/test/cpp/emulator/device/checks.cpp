// Checks every access of a kernel. The compiler calls the functions at the end before each load and store
// (-fsanitize=kernel-address) and where it finds other mistakes (-fsanitize=alignment,bounds,integer-divide-by-zero).
#include <cstring>
#include <vector>
#include "runtime.h"

extern "C" char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emu_shared[] __attribute__((weak, visibility("hidden")));

namespace emu {

char* sharedStart = __start_emu_shared;
size_t sharedBytes = static_cast<size_t>(__stop_emu_shared - __start_emu_shared);

namespace {

std::vector<EmuAccess> sharedAccesses;           // static shared memory, then dynamic
size_t dirtyFrom = SIZE_MAX, dirtyTo = SIZE_MAX; // part of static shared memory written since it was poisoned

/** Whether an earlier access of this stamp by `thread` may happen at the same time as one by the current thread. */
bool together(uint16_t thread, uint16_t turn) {
  int self = block.current;
  if (thread == self) return false;
  return thread / WARP != self / WARP || turn == block.warp[self / WARP].turn;
}

void noteRead(EmuAccess& access, uint8_t bytes) {
  int self = block.current;
  uint16_t turn = block.warp[self / WARP].turn;
  uint8_t readers = EMU_ONE_READER;
  if (access.readStamp == block.stamp) {
    if (access.readThread / WARP != self / WARP || access.readers == EMU_SEVERAL_WARPS) {
      readers = EMU_SEVERAL_WARPS;
    } else if (access.readTurn == turn && (access.readThread != self || access.readers == EMU_ONE_WARP)) {
      readers = EMU_ONE_WARP;
    }
    bytes |= access.readBytes;
  } else if (access.readStamp < block.blockStamp) {
    access.otherReadStamp = access.readStamp;
  }
  access.readStamp = block.stamp;
  access.readThread = static_cast<uint16_t>(self);
  access.readTurn = turn;
  access.readBytes = bytes;
  access.readers = readers;
}

/** Looks for an access to the same bytes that no barrier separates from this one, and remembers this one. */
void checkRace(EmuAccess& access, uint8_t bytes, bool write, bool global, uintptr_t address) {
  const char* space = global ? "global" : "shared";
  const char* verb = write ? "write" : "read";
  auto otherBlock = [](uint32_t stamp) { return stamp >= block.launchStamp && stamp < block.blockStamp; };
  if (access.writeBytes & bytes) {
    if (access.writeStamp == block.stamp && together(access.writeThread, access.writeTurn)) {
      fail(LAUNCH_FAILED, address, "%s race: %s at %p, written by thread %d since the last barrier", space, verb,
          reinterpret_cast<void*>(address), access.writeThread);
    }
    if (global && otherBlock(access.writeStamp) && (write || !block.usedAtomics)) {
      fail(LAUNCH_FAILED, address, "global race: %s at %p, written by another block of this launch", verb,
          reinterpret_cast<void*>(address));
    }
  }
  if (!write) {
    noteRead(access, bytes);
    return;
  }
  if (access.readBytes & bytes) {
    bool several = access.readers == EMU_SEVERAL_WARPS || (access.readers == EMU_ONE_WARP &&
        access.readTurn == block.warp[block.current / WARP].turn);
    if (access.readStamp == block.stamp && (several || together(access.readThread, access.readTurn))) {
      fail(LAUNCH_FAILED, address, "%s race: write at %p, read by thread %d since the last barrier", space,
          reinterpret_cast<void*>(address), access.readThread);
    }
    if (global && !block.usedAtomics && (otherBlock(access.readStamp) || otherBlock(access.otherReadStamp))) {
      fail(LAUNCH_FAILED, address, "global race: write at %p, read by another block of this launch",
          reinterpret_cast<void*>(address));
    }
  }
  access.writeStamp = block.stamp;
  access.writeThread = static_cast<uint16_t>(block.current);
  access.writeTurn = block.warp[block.current / WARP].turn;
  access.writeBytes = bytes;
}

void checkRaces(EmuAccess* accesses, size_t offset, size_t bytes, bool write, bool global, uintptr_t address) {
  for (size_t at = offset; at < offset + bytes;) {
    size_t inWord = at % 4, here = 4 - inWord < offset + bytes - at ? 4 - inWord : offset + bytes - at;
    auto mask = static_cast<uint8_t>(((1u << here) - 1) << inWord);
    checkRace(accesses[at / 4], mask, write, global, address);
    at += here;
  }
}

void checkShared(uintptr_t address, size_t bytes, bool write) {
  size_t fixed = address - reinterpret_cast<uintptr_t>(sharedStart);
  size_t dynamic = address - reinterpret_cast<uintptr_t>(dynamicShared);
  size_t offset = fixed;
  if (fixed < sharedBytes) {
    if (write) {
      if (dirtyFrom == SIZE_MAX || fixed < dirtyFrom) dirtyFrom = fixed;
      if (dirtyTo == SIZE_MAX || fixed + bytes > dirtyTo) dirtyTo = fixed + bytes;
    }
  } else if (dynamic < MAX_DYNAMIC_SHARED) {
    if (dynamic + bytes > block.launch->dynamicShared) {
      fail(ILLEGAL_ADDRESS, 0, "%s of %zu bytes at byte %zu of dynamic shared memory, the launch gave it %zu",
          write ? "write" : "read", bytes, dynamic, block.launch->dynamicShared);
    }
    offset = sharedBytes + dynamic;
  } else {
    fail(ILLEGAL_ADDRESS, 0, "invalid %s of %zu bytes at %p, not a device address", write ? "write" : "read", bytes,
        reinterpret_cast<void*>(address));
  }
  if (block.launch->races) checkRaces(sharedAccesses.data(), offset, bytes, write, false, address);
}

/** Whether all the bytes may be used; the shadow has one count per 8 bytes. */
bool exposed(const EmuMemory& memory, uintptr_t offset, size_t bytes) {
  for (uintptr_t end = offset + bytes; offset < end;) {
    uintptr_t inGranule = offset & 7, here = 8 - inGranule < end - offset ? 8 - inGranule : end - offset;
    if (inGranule + here > memory.shadow[offset >> 3]) return false;
    offset += here;
  }
  return true;
}

inline void check(uintptr_t address, size_t bytes, bool write) {
  if (__builtin_expect(onStack(address), 0)) return;
  const EmuLaunch& launch = *block.launch;
  uintptr_t offset = address - launch.memory.base;
  if (__builtin_expect(offset < launch.memory.size, 1)) {
    bool good = (offset & 7) + bytes <= 8 ? (offset & 7) + bytes <= launch.memory.shadow[offset >> 3]
                                          : exposed(launch.memory, offset, bytes);
    if (!good) {
      fail(ILLEGAL_ADDRESS, address, "invalid global %s of %zu bytes at %p", write ? "write" : "read", bytes,
          reinterpret_cast<void*>(address));
    }
    if (launch.races) checkRaces(launch.memory.accesses, offset, bytes, write, true, address);
    return;
  }
  bool inImage = address >= launch.imageStart && address < launch.imageEnd;
  bool inShared = address - reinterpret_cast<uintptr_t>(sharedStart) < sharedBytes;
  if (inImage && !inShared && !write) return;  // constants
  checkShared(address, bytes, write);
}

}  // namespace

void poisonShared() {
  if (dirtyTo == SIZE_MAX) {
    dirtyFrom = 0;
    dirtyTo = sharedBytes;
  }
  if (dirtyTo > dirtyFrom) std::memset(sharedStart + dirtyFrom, 0xFF, dirtyTo - dirtyFrom);
  dirtyFrom = dirtyTo = 0;
  std::memset(dynamicShared, 0xFF, block.launch->dynamicShared);
}

void startRaceCheck() {
  if (block.launch->races) sharedAccesses.assign((sharedBytes + block.launch->dynamicShared) / 4 + 1, EmuAccess{});
}

}  // namespace emu

using emu::block;

#define HIDDEN __attribute__((visibility("hidden")))

extern "C" {

#define CALLBACKS(n)                                                                             \
  HIDDEN void __asan_load##n##_noabort(uintptr_t address) { emu::check(address, n, false); }    \
  HIDDEN void __asan_store##n##_noabort(uintptr_t address) { emu::check(address, n, true); }
CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)
HIDDEN void __asan_loadN_noabort(uintptr_t address, size_t bytes) { emu::check(address, bytes, false); }
HIDDEN void __asan_storeN_noabort(uintptr_t address, size_t bytes) { emu::check(address, bytes, true); }
HIDDEN void __asan_handle_no_return() {}

HIDDEN void emu_atomic_check(const void* p, size_t bytes) {
  auto address = reinterpret_cast<uintptr_t>(p);
  if (address % bytes) emu::fail(emu::MISALIGNED_ADDRESS, address, "misaligned atomic of %zu bytes", bytes);
  bool races = block.launch->races;
  block.launch->races = false;  // atomics do not race with each other
  emu::check(address, bytes, true);
  block.launch->races = races;
  block.usedAtomics = true;
}

HIDDEN void emu_trap(const char* why) { emu::fail(emu::ILLEGAL_INSTRUCTION, 0, "%s", why); }

// Data of the undefined-behaviour handlers, as in libsanitizer's ubsan_handlers.h.
struct SourceLocation {
  const char* file;
  uint32_t line, column;
};
struct TypeDescriptor {
  uint16_t kind, info;
  char name[1];
};
struct MismatchData {
  SourceLocation where;
  const TypeDescriptor* type;
  unsigned char logAlignment, kind;
};
struct BoundsData {
  SourceLocation where;
  const TypeDescriptor *array, *index;
};
struct OverflowData {
  SourceLocation where;
  const TypeDescriptor* type;
};

HIDDEN void __ubsan_handle_type_mismatch_v1(MismatchData* data, uintptr_t address) {
  emu::fail(emu::MISALIGNED_ADDRESS, address, "misaligned access to %s in line %u at %p, which is no multiple of %d",
      data->type->name, data->where.line, reinterpret_cast<void*>(address), 1 << data->logAlignment);
}

HIDDEN void __ubsan_handle_out_of_bounds(BoundsData* data, uintptr_t index) {
  emu::fail(emu::ILLEGAL_ADDRESS, 0, "index %lld out of bounds for %s in line %u",
      static_cast<long long>(static_cast<int>(index)), data->array->name, data->where.line);
}

HIDDEN void __ubsan_handle_divrem_overflow(OverflowData* data, uintptr_t, uintptr_t) {
  emu::fail(emu::LAUNCH_FAILED, 0, "division by zero in line %u", data->where.line);
}

}  // extern "C"
