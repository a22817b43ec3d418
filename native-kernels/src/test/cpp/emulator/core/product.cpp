// c += a b after Goto and van de Geijn 2008: packed panels and a register tile, in GCC's vector extension.
#include "product.h"
#include <algorithm>
#include <vector>

namespace emu {
namespace {

typedef float Lane __attribute__((vector_size(64), aligned(4)));
constexpr int LANE = 16, MR = 6, NR = 2 * LANE, KC = 256, MC = 96, NC = 1024;

/** tile (MR x NR) += panel of a [depth][MR] times panel of b [depth][NR]. */
void multiplyTile(float (*tile)[NR], const float* a, const float* b, int64_t depth) {
  Lane sums[MR][2] = {};
  for (int64_t p = 0; p < depth; p++) {
    const Lane b0 = *reinterpret_cast<const Lane*>(b + p * NR);
    const Lane b1 = *reinterpret_cast<const Lane*>(b + p * NR + LANE);
    for (int i = 0; i < MR; i++) {
      float x = a[p * MR + i];
      sums[i][0] += x * b0;
      sums[i][1] += x * b1;
    }
  }
  for (int i = 0; i < MR; i++) {
    for (int j = 0; j < NR; j++) tile[i][j] = sums[i][j / LANE][j % LANE];
  }
}

/** Copies rows [0, rows) of `m` as panels [depth][width], zero-filled where a panel has fewer rows. */
void pack(float* panels, Matrix m, int64_t rows, int64_t depth, int width) {
  for (int64_t r0 = 0; r0 < rows; r0 += width) {
    int64_t here = std::min<int64_t>(width, rows - r0);
    for (int64_t p = 0; p < depth; p++, panels += width) {
      const float* from = m.data + r0 * m.row + p * m.column;
      for (int64_t r = 0; r < here; r++) panels[r] = from[r * m.row];
      std::fill(panels + here, panels + width, 0.0f);
    }
  }
}

Matrix shifted(Matrix m, int64_t row, int64_t column) {
  return {m.data + row * m.row + column * m.column, m.row, m.column};
}

}  // namespace

void addProduct(float* c, Matrix a, Matrix b, int64_t m, int64_t n, int64_t k) {
  std::vector<float> aPanels(static_cast<size_t>(MC + MR) * KC), bPanels(static_cast<size_t>(NC + NR) * KC);
  const Matrix bTransposed = {b.data, b.column, b.row};
  float tile[MR][NR];
  for (int64_t j0 = 0; j0 < n; j0 += NC) {
    int64_t columns = std::min<int64_t>(NC, n - j0);
    for (int64_t p0 = 0; p0 < k; p0 += KC) {
      int64_t depth = std::min<int64_t>(KC, k - p0);
      pack(bPanels.data(), shifted(bTransposed, j0, p0), columns, depth, NR);
      for (int64_t i0 = 0; i0 < m; i0 += MC) {
        int64_t rows = std::min<int64_t>(MC, m - i0);
        pack(aPanels.data(), shifted(a, i0, p0), rows, depth, MR);
        for (int64_t j = 0; j < columns; j += NR) {
          for (int64_t i = 0; i < rows; i += MR) {
            multiplyTile(tile, aPanels.data() + i * depth, bPanels.data() + j * depth, depth);
            int64_t height = std::min<int64_t>(MR, rows - i), width = std::min<int64_t>(NR, columns - j);
            for (int64_t y = 0; y < height; y++) {
              float* row = c + (i0 + i + y) * n + j0 + j;
              for (int64_t x = 0; x < width; x++) row[x] += tile[y][x];
            }
          }
        }
      }
    }
  }
}

}  // namespace emu
