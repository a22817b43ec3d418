// The arithmetic: windows of the image become rows of a matrix, as in im2col, a few output pixels at a time.
#include <algorithm>
#include <cstring>
#include <vector>
#include "../core/product.h"
#include "convolution.h"

namespace emu {
namespace {

constexpr int64_t TILE = 128;  // output pixels

/** One group of channels. */
class Work {
 public:
  Work(const Convolution& v, int64_t group) : v_(v), group_(group) {
    channels_ = v.w.size[1];
    filters_ = v.w.size[0] / v.shape.groups;
    taps_ = v.w.size[2] * v.w.size[3];
    depth_ = taps_ * channels_;
    pixels_ = v.y.size[0] * v.y.size[2] * v.y.size[3];
  }

  int64_t pixels() const { return pixels_; }
  int64_t depth() const { return depth_; }
  int64_t filters() const { return filters_; }
  int64_t firstFilter() const { return group_ * filters_; }
  int64_t firstChannel() const { return group_ * channels_; }

  /** For the taps of an output pixel inside the image: calls f(column, offset in x of channel 0 of the group). */
  template <class F>
  void eachTap(int64_t pixel, F f) const {
    const ConvolutionShape& s = v_.shape;
    int64_t j = pixel % v_.y.size[3], i = pixel / v_.y.size[3] % v_.y.size[2], n = pixel / v_.y.size[3] / v_.y.size[2];
    for (int64_t r = 0; r < v_.w.size[2]; r++) {
      int64_t h = i * s.strideH - s.padH + (s.flipped ? v_.w.size[2] - 1 - r : r) * s.dilationH;
      if (h < 0 || h >= v_.x.size[2]) continue;
      for (int64_t t = 0; t < v_.w.size[3]; t++) {
        int64_t w = j * s.strideW - s.padW + (s.flipped ? v_.w.size[3] - 1 - t : t) * s.dilationW;
        if (w < 0 || w >= v_.x.size[3]) continue;
        const int64_t* stride = v_.x.stride;
        int64_t offset = n * stride[0] + firstChannel() * stride[1] + h * stride[2] + w * stride[3];
        f((r * v_.w.size[3] + t) * channels_, offset);
      }
    }
  }

  /** Rows [from, to) of the matrix of windows [pixels, depth]. */
  void windows(const void* x, int64_t from, int64_t to, float* rows) const {
    std::fill_n(rows, (to - from) * depth_, 0.0f);
    for (int64_t p = from; p < to; p++) {
      float* row = rows + (p - from) * depth_;
      eachTap(p, [&](int64_t column, int64_t offset) {
        for (int64_t c = 0; c < channels_; c++) {
          row[column + c] = rounded(load(x, offset + c * v_.x.stride[1], v_.x.element), v_.rounding);
        }
      });
    }
  }

  /** Where pixel p of filter 0 of the group is in y. */
  int64_t outputOffset(int64_t p) const {
    const int64_t *size = v_.y.size, *stride = v_.y.stride;
    return p / size[3] / size[2] * stride[0] + firstFilter() * stride[1] + p / size[3] % size[2] * stride[2] +
        p % size[3] * stride[3];
  }

  /** Rows [from, to) of y as a matrix [pixels, filters]. */
  void outputs(const void* y, int64_t from, int64_t to, float* rows) const {
    for (int64_t p = from; p < to; p++) {
      int64_t offset = outputOffset(p);
      for (int64_t o = 0; o < filters_; o++) {
        *rows++ = rounded(load(y, offset + o * v_.y.stride[1], v_.y.element), v_.rounding);
      }
    }
  }

  /** Calls f(row, column, offset in w) for each weight of the matrix [filters, depth]. */
  template <class F>
  void eachWeight(F f) const {
    const int64_t* stride = v_.w.stride;
    for (int64_t o = 0; o < filters_; o++) {
      for (int64_t t = 0; t < taps_; t++) {
        int64_t r = t / v_.w.size[3], s = t % v_.w.size[3];
        for (int64_t c = 0; c < channels_; c++) {
          f(o, t * channels_ + c, (firstFilter() + o) * stride[0] + c * stride[1] + r * stride[2] + s * stride[3]);
        }
      }
    }
  }

  std::vector<float> weights(const void* w) const {
    std::vector<float> matrix(static_cast<size_t>(filters_ * depth_));
    eachWeight([&](int64_t o, int64_t column, int64_t offset) {
      matrix[static_cast<size_t>(o * depth_ + column)] = rounded(load(w, offset, v_.w.element), v_.rounding);
    });
    return matrix;
  }

 private:
  const Convolution& v_;
  int64_t group_, channels_, filters_, taps_, depth_, pixels_;
};

/** result[at] = alpha value + beta result[at]; with beta = 0 the old value is not read. */
void blend(void* result, int64_t at, Type type, float alpha, float value, float beta) {
  store(result, at, type, beta == 0 ? alpha * value : alpha * value + beta * load(result, at, type));
}

void forward(const Convolution& v, const Work& g, int64_t tile, float alpha, float beta, void* x, void* w, void* y) {
  std::vector<float> weights = g.weights(w), windows(static_cast<size_t>(tile * g.depth()));
  std::vector<float> out(static_cast<size_t>(tile * g.filters()));
  for (int64_t from = 0; from < g.pixels(); from += tile) {
    int64_t to = std::min(from + tile, g.pixels());
    g.windows(x, from, to, windows.data());
    std::fill(out.begin(), out.end(), 0.0f);
    addProduct(out.data(), {windows.data(), g.depth(), 1}, {weights.data(), 1, g.depth()}, to - from, g.filters(),
        g.depth());
    for (int64_t p = from; p < to; p++) {
      int64_t offset = g.outputOffset(p);
      for (int64_t o = 0; o < g.filters(); o++) {
        float value = out[static_cast<size_t>((p - from) * g.filters() + o)];
        blend(y, offset + o * v.y.stride[1], v.y.element, alpha, value, beta);
      }
    }
  }
}

void backwardData(const Convolution& v, const Work& g, int64_t tile, float alpha, float beta, void* x, void* w,
    void* y) {
  std::vector<float> weights = g.weights(w), rows(static_cast<size_t>(tile * g.depth()));
  std::vector<float> dy(static_cast<size_t>(tile * g.filters())), sums(static_cast<size_t>(v.x.span()));
  int64_t channels = v.w.size[1];
  for (int64_t from = 0; from < g.pixels(); from += tile) {
    int64_t to = std::min(from + tile, g.pixels());
    g.outputs(y, from, to, dy.data());
    std::fill(rows.begin(), rows.end(), 0.0f);
    addProduct(rows.data(), {dy.data(), g.filters(), 1}, {weights.data(), g.depth(), 1}, to - from, g.depth(),
        g.filters());
    for (int64_t p = from; p < to; p++) {
      const float* row = rows.data() + (p - from) * g.depth();
      g.eachTap(p, [&](int64_t column, int64_t offset) {
        float* sum = sums.data() + offset;
        for (int64_t c = 0; c < channels; c++) sum[c * v.x.stride[1]] += row[column + c];
      });
    }
  }
  const int64_t *size = v.x.size, *stride = v.x.stride;
  for (int64_t n = 0; n < size[0]; n++) {
    for (int64_t h = 0; h < size[2]; h++) {
      for (int64_t i = 0; i < size[3]; i++) {
        int64_t at = n * stride[0] + g.firstChannel() * stride[1] + h * stride[2] + i * stride[3];
        for (int64_t c = 0; c < channels; c++, at += stride[1]) {
          blend(x, at, v.x.element, alpha, sums[static_cast<size_t>(at)], beta);
        }
      }
    }
  }
}

void backwardFilter(const Convolution& v, const Work& g, int64_t tile, float alpha, float beta, void* x, void* w,
    void* y) {
  std::vector<float> windows(static_cast<size_t>(tile * g.depth())), dy(static_cast<size_t>(tile * g.filters()));
  std::vector<float> sums(static_cast<size_t>(g.filters() * g.depth()));
  for (int64_t from = 0; from < g.pixels(); from += tile) {
    int64_t to = std::min(from + tile, g.pixels());
    g.windows(x, from, to, windows.data());
    g.outputs(y, from, to, dy.data());
    addProduct(sums.data(), {dy.data(), 1, g.filters()}, {windows.data(), g.depth(), 1}, g.filters(), g.depth(),
        to - from);
  }
  g.eachWeight([&](int64_t o, int64_t column, int64_t offset) {
    blend(w, offset, v.w.element, alpha, sums[static_cast<size_t>(o * g.depth() + column)], beta);
  });
}

}  // namespace

void compute(const Convolution& v, bool deterministic, float alpha, float beta, void* x, void* w, void* y) {
  // An algorithm that is not deterministic cuts its sums differently each time, so that the last bits differ.
  static int64_t calls = 0;
  int64_t tile = deterministic ? TILE : 5 + calls++ % 11;
  for (int64_t group = 0; group < v.shape.groups; group++) {
    Work work(v, group);
    switch (v.direction) {
      case Direction::FORWARD: forward(v, work, tile, alpha, beta, x, w, y); break;
      case Direction::BACKWARD_DATA: backwardData(v, work, tile, alpha, beta, x, w, y); break;
      case Direction::BACKWARD_FILTER: backwardFilter(v, work, tile, alpha, beta, x, w, y); break;
    }
  }
}

}  // namespace emu
