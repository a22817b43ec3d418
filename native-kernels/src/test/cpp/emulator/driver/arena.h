// Device memory: one large reserved range of addresses from which allocations are cut, never reusing an address.
#pragma once
#include <map>
#include <string>
#include "../device/abi.h"
#include "api.h"

namespace emu {

class Arena {
 public:
  /** Reserves the addresses, once per process. */
  bool open();

  /** Memory filled with 0xFF (NaN as a float); 0 when the device is full. */
  uintptr_t allocate(size_t bytes, const char* call);

  /** False when the address is not the start of a live allocation. */
  bool free(uintptr_t start);

  /** Forgets all allocations; their addresses may come again. */
  void clear();

  bool contains(uintptr_t address) const { return address - base_ < SIZE; }

  /** Whether the bytes lie inside one live allocation. */
  bool holds(uintptr_t start, size_t bytes) const;

  /** The allocation that holds the address: start and size, or zeros. */
  std::pair<uintptr_t, size_t> around(uintptr_t address) const;

  /** Words that place an address relative to the allocations near it. */
  std::string describe(uintptr_t address) const;

  size_t used() const { return used_; }

  /** What kernels check their accesses against. */
  EmuMemory view() const;

 private:
  struct Block {
    size_t bytes;
    bool live;
  };

  void expose(uintptr_t start, size_t bytes, bool on);

  static constexpr uintptr_t SIZE = 128ull << 30;
  static constexpr size_t GAP = 256;

  uintptr_t base_ = 0;
  uint8_t* shadow_ = nullptr;         // per 8 bytes: how many of them, from the first, may be used
  EmuAccess* accesses_ = nullptr;     // per 4 bytes: who used them last, for the race check
  uintptr_t next_ = GAP;
  size_t used_ = 0;
  std::map<uintptr_t, Block> blocks_; // also the freed ones, to name them in faults
};

Arena& arena();

}  // namespace emu
