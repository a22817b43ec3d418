// The matrix product behind the emulated cuBLAS and cuDNN.
#pragma once
#include <cstdint>
#include "emulator.h"

namespace emu {

/** A float matrix whose element (i, j) is at data[i * row + j * column]. */
struct Matrix {
  const float* data;
  int64_t row, column;
};

/** c[i * n + j] += sum_p a(i, p) b(p, j), for i < m, j < n, p < k, always summed in the same order. */
EMU_EXPORT void addProduct(float* c, Matrix a, Matrix b, int64_t m, int64_t n, int64_t k);

}  // namespace emu
