#include "arena.h"
#include <sys/mman.h>
#include <cstring>
#include "../core/bench.h"
#include "context.h"

namespace emu {
namespace {

/** Address space without memory behind it: pages appear when they are written. */
void* reserve(uintptr_t hint, size_t bytes) {
  void* p = mmap(reinterpret_cast<void*>(hint), bytes, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  madvise(p, bytes, MADV_DONTDUMP);
  return p;
}

/** Gives the whole pages inside the range back to the system. */
void release(uintptr_t start, size_t bytes) {
  uintptr_t from = (start + 4095) & ~4095ull, to = (start + bytes) & ~4095ull;
  if (to > from) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

const bool registered = [] {
  onReset([] { arena().clear(); });
  onContextEnd([] { arena().clear(); });
  return true;
}();

}  // namespace

Arena& arena() {
  static Arena instance;
  return instance;
}

bool Arena::open() {
  if (base_) return true;
  shadow_ = static_cast<uint8_t*>(reserve(0, SIZE / 8));
  accesses_ = static_cast<EmuAccess*>(reserve(0, SIZE / 4 * sizeof(EmuAccess)));
  base_ = reinterpret_cast<uintptr_t>(reserve(0x300000000000, SIZE));
  return base_ && shadow_ && accesses_;
}

void Arena::expose(uintptr_t start, size_t bytes, bool on) {
  size_t granule = (start - base_) / 8;
  std::memset(shadow_ + granule, on ? 8 : 0, (bytes + 7) / 8);
  if (on && bytes % 8) shadow_[granule + bytes / 8] = bytes % 8;
}

uintptr_t Arena::allocate(size_t bytes, const char* call) {
  size_t space = ((bytes + GAP - 1) & ~(GAP - 1)) + GAP;
  if (used_ + bytes > static_cast<size_t>(number("MEMORY_BYTES")) || next_ + space > SIZE) return 0;
  uintptr_t start = base_ + next_;
  next_ += space;
  used_ += bytes;
  blocks_[start] = {bytes, true};
  expose(start, bytes, true);
  std::memset(reinterpret_cast<void*>(start), 0xFF, bytes);
  track(reinterpret_cast<void*>(start), "device memory of " + std::to_string(bytes) + " bytes from " + call);
  return start;
}

bool Arena::free(uintptr_t start) {
  auto it = blocks_.find(start);
  if (it == blocks_.end() || !it->second.live) return false;
  it->second.live = false;
  used_ -= it->second.bytes;
  expose(start, it->second.bytes, false);
  release(start, it->second.bytes);
  untrack(reinterpret_cast<void*>(start));
  return true;
}

void Arena::clear() {
  for (auto& block : blocks_) untrack(reinterpret_cast<void*>(block.first));
  if (base_) {
    release(base_, next_);
    std::memset(shadow_, 0, next_ / 8);
    release(reinterpret_cast<uintptr_t>(accesses_), next_ / 4 * sizeof(EmuAccess));
  }
  blocks_.clear();
  next_ = GAP;
  used_ = 0;
}

std::pair<uintptr_t, size_t> Arena::around(uintptr_t address) const {
  auto it = blocks_.upper_bound(address);
  if (it == blocks_.begin()) return {0, 0};
  --it;
  if (!it->second.live || address >= it->first + it->second.bytes) return {0, 0};
  return {it->first, it->second.bytes};
}

bool Arena::holds(uintptr_t start, size_t bytes) const {
  if (!bytes) return true;
  auto block = around(start);
  return block.second && bytes <= block.first + block.second - start;
}

std::string Arena::describe(uintptr_t address) const {
  if (!contains(address)) return "not a device address";
  auto it = blocks_.upper_bound(address);
  if (it == blocks_.begin()) return "before the first allocation";
  --it;
  size_t offset = address - it->first, bytes = it->second.bytes;
  std::string size = std::to_string(bytes) + " bytes";
  if (offset < bytes) return "at byte " + std::to_string(offset) + (it->second.live ? " of " : " of freed ") + size;
  return std::to_string(offset - bytes) + " bytes past the end of " + (it->second.live ? "" : "freed ") + size;
}

EmuMemory Arena::view() const { return {base_, SIZE, shadow_, accesses_}; }

bool isDeviceAddress(const void* address) { return arena().contains(reinterpret_cast<uintptr_t>(address)); }

bool inAllocation(const void* start, size_t bytes, const char* what) {
  auto address = reinterpret_cast<uintptr_t>(start);
  if (arena().holds(address, bytes)) return true;
  breakContext(CUDA_ERROR_ILLEGAL_ADDRESS, std::string(what) + ": " + std::to_string(bytes) +
      " bytes are not inside one allocation, they start " + arena().describe(address));
  return false;
}

size_t liveBytes() { return arena().used(); }

}  // namespace emu
