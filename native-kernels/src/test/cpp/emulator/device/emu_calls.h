// What compiled kernels call in the runtime, and the variables that CUDA defines.
#pragma once
#include <cstddef>
#include <cstdint>

#define EMU_HIDDEN __attribute__((visibility("hidden")))

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
};

extern "C" {
extern EMU_HIDDEN uint3 threadIdx, blockIdx;
extern EMU_HIDDEN dim3 blockDim, gridDim;

EMU_HIDDEN void emu_syncthreads(int line);
EMU_HIDDEN void emu_syncwarp(unsigned mask);
EMU_HIDDEN int emu_lane();
EMU_HIDDEN unsigned emu_active_mask();
EMU_HIDDEN uint64_t emu_shuffle(unsigned mask, uint64_t value, int source);
EMU_HIDDEN unsigned emu_ballot(unsigned mask, int predicate);
EMU_HIDDEN void* emu_dynamic_smem();
EMU_HIDDEN void emu_atomic_check(const void* p, size_t bytes);
EMU_HIDDEN void emu_trap(const char* why);
EMU_HIDDEN float emu_half_to_float(unsigned short h);
EMU_HIDDEN unsigned short emu_float_to_half(float f);

/** mma.sync.aligned.m16n8k16.row.col.f32.T.T.f32 with T = f16 or bf16: two elements a register, the first one low. */
EMU_HIDDEN void emu_mma_m16n8k16(float d[4], const unsigned a[4], const unsigned b[2], const float c[4], bool bfloat16);

/** mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32. */
EMU_HIDDEN void emu_mma_m16n8k8_f16(float d[4], const unsigned a[2], unsigned b, const float c[4]);
}
