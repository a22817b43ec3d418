// Barriers, exchanges between the lanes of a warp, and the matrix product of a warp.
#include "../core/numbers.h"
#include "runtime.h"

using namespace emu;

namespace {

int laneId() { return block.current % WARP; }

WarpState& ownWarp() { return block.warp[block.current / WARP]; }

/** Two groups of lanes wait for each other, each with another mask or operation. */
void checkAgainst(const Meeting& m, uint32_t expected, const char* operation) {
  bool same = m.expected == expected;
  bool crossed = (m.expected >> laneId() & 1) && (expected & m.arrived);
  if (same ? m.operation == operation : !crossed) return;
  fail(LAUNCH_FAILED, 0, "%s with mask %08x meets %s with mask %08x in one warp", operation, expected, m.operation,
      m.expected);
}

/** The meeting of the lanes of the mask at this operation, in which the lane may now put its values. */
Meeting& join(uint32_t mask, const char* operation) {
  WarpState& w = ownWarp();
  int lanes = lanesOf(block.current / WARP);
  uint32_t expected = lanes == WARP ? mask : mask & ((1u << lanes) - 1);
  if (!(expected >> laneId() & 1)) {
    fail(LAUNCH_FAILED, 0, "%s: mask %08x lacks the calling lane %d", operation, mask, laneId());
  }
  Meeting* found = nullptr;
  for (uint64_t rest = w.meetings; rest; rest &= rest - 1) {
    Meeting& m = w.meeting[__builtin_ctzll(rest)];
    if (m.arrived == m.expected) continue;  // its lanes have met, some have not yet read
    checkAgainst(m, expected, operation);
    if (m.expected == expected) found = &m;
  }
  if (found) return *found;
  int free = __builtin_ctzll(~w.meetings);  // at most 32 are full and 32 open
  w.meetings |= uint64_t{1} << free;
  Meeting& m = w.meeting[free];
  m.expected = m.unread = expected;
  m.arrived = 0;
  m.operation = operation;
  return m;
}

/** Waits until all lanes have put in their values. */
void meet(Meeting& m) {
  m.arrived |= 1u << laneId();
  if (m.arrived != m.expected) {
    waitFor(State::AT_WARP_OPERATION);
    return;
  }
  ownWarp().turn++;
  for (uint32_t rest = m.expected & ~(1u << laneId()); rest; rest &= rest - 1) {
    wake(block.current / WARP * WARP + __builtin_ctz(rest));
  }
}

/** A matrix product takes whole warps. */
Meeting& joinProduct(const char* operation) {
  if (lanesOf(block.current / WARP) < WARP) fail(LAUNCH_FAILED, 0, "%s in a warp of fewer than 32 lanes", operation);
  return join(~0u, operation);
}

/** The lane has read what it needs. */
void leave(Meeting& m) {
  m.unread &= ~(1u << laneId());
  if (!m.unread) ownWarp().meetings &= ~(uint64_t{1} << (&m - ownWarp().meeting));
}

float element(unsigned packed, int half, bool bfloat16) {
  auto bits = static_cast<uint16_t>(half ? packed >> 16 : packed);
  return bfloat16 ? floatOfBfloat16(bits) : floatOfHalf(bits);
}

/** d = c + a b in a lane's four elements: rows g and g + 8, columns 2q and 2q + 1, with g = lane / 4, q = lane % 4. */
void multiply(float* d, const float* c, const Meeting& m, int depth) {
  int g = laneId() / 4, q = laneId() % 4;
  float sums[4] = {c[0], c[1], c[2], c[3]};
  for (int k = 0; k < depth; k++) {
    for (int i = 0; i < 4; i++) sums[i] += m.a[k][g + i / 2 * 8] * m.b[k][2 * q + i % 2];
  }
  for (int i = 0; i < 4; i++) d[i] = sums[i];
}

}  // namespace

extern "C" {

void emu_syncthreads(int line) {
  block.thread[block.current].line = line;
  if (++block.waiting < block.threads) {
    waitFor(State::AT_BARRIER);
    return;
  }
  for (int t = 0; t < block.threads; t++) {
    if (block.thread[t].line != line) {
      fail(LAUNCH_FAILED, 0, "barrier divergence: threads wait at __syncthreads in lines %d and %d", line,
          block.thread[t].line);
    }
  }
  block.waiting = 0;
  block.stamp++;
  for (int w = 0; w * WARP < block.threads; w++) block.warp[w].turn = 0;
  for (int t = 0; t < block.threads; t++) {
    if (block.thread[t].state == State::AT_BARRIER) wake(t);
  }
}

void emu_syncwarp(unsigned mask) {
  Meeting& m = join(mask, "__syncwarp");
  meet(m);
  leave(m);
}

int emu_lane() { return laneId(); }

void* emu_dynamic_smem() { return dynamicShared; }

unsigned emu_active_mask() {
  unsigned mask = 0;
  for (int i = 0, warp = block.current / WARP; i < lanesOf(warp); i++) {
    if (block.thread[warp * WARP + i].state != State::DONE) mask |= 1u << i;
  }
  return mask;
}

uint64_t emu_shuffle(unsigned mask, uint64_t value, int source) {
  Meeting& m = join(mask, "a shuffle");
  m.slots[laneId()] = value;
  meet(m);
  if (!(m.expected >> source & 1)) {
    fail(LAUNCH_FAILED, 0, "a shuffle reads lane %d, which mask %08x lacks", source, m.expected);
  }
  value = m.slots[source];
  leave(m);
  return value;
}

unsigned emu_ballot(unsigned mask, int predicate) {
  Meeting& m = join(mask, "a vote");
  m.slots[laneId()] = predicate != 0;
  meet(m);
  unsigned votes = 0;
  for (uint32_t rest = m.expected; rest; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    votes |= static_cast<unsigned>(m.slots[lane]) << lane;
  }
  leave(m);
  return votes;
}

// Fragments of mma.m16n8k16 and mma.m16n8k8, PTX ISA "Matrix Fragments for mma". With g = lane / 4 and q = lane % 4:
//   a[0], a[1]: rows g, g + 8, columns 2q, 2q + 1;   a[2], a[3]: the same rows, columns 2q + 8, 2q + 9
//   b[0]: rows 2q, 2q + 1 of column g;               b[1]: rows 2q + 8, 2q + 9
void emu_mma_m16n8k16(float d[4], const unsigned a[4], const unsigned b[2], const float c[4], bool bfloat16) {
  int g = laneId() / 4, q = laneId() % 4;
  Meeting& m = joinProduct(bfloat16 ? "mma.m16n8k16.bf16" : "mma.m16n8k16.f16");
  for (int r = 0; r < 4; r++) {
    for (int h = 0; h < 2; h++) m.a[2 * q + h + r / 2 * 8][g + r % 2 * 8] = element(a[r], h, bfloat16);
  }
  for (int r = 0; r < 2; r++) {
    for (int h = 0; h < 2; h++) m.b[2 * q + h + r * 8][g] = element(b[r], h, bfloat16);
  }
  meet(m);
  multiply(d, c, m, 16);
  leave(m);
}

void emu_mma_m16n8k8_f16(float d[4], const unsigned a[2], unsigned b, const float c[4]) {
  int g = laneId() / 4, q = laneId() % 4;
  Meeting& m = joinProduct("mma.m16n8k8.f16");
  for (int h = 0; h < 2; h++) {
    m.a[2 * q + h][g] = element(a[0], h, false);
    m.a[2 * q + h][g + 8] = element(a[1], h, false);
    m.b[2 * q + h][g] = element(b, h, false);
  }
  meet(m);
  multiply(d, c, m, 8);
  leave(m);
}

float emu_half_to_float(unsigned short h) { return floatOfHalf(h); }

unsigned short emu_float_to_half(float f) { return halfOfFloat(f); }

}  // extern "C"
