// Which algorithms there are, and what they need.
#include <vector>
#include "convolution.h"

namespace emu {
namespace {

size_t rounded256(int64_t bytes) { return (static_cast<size_t>(bytes) + 255) & ~size_t{255}; }

/** What Ampere and later do to fp32 inputs unless told otherwise. */
Rounding roundingOf(const TensorShape& x, const ConvolutionShape& c) {
  enum : int { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, ALLOW_CONVERSION = 2, FMA_MATH = 3 };
  if (x.element != Type::FLOAT || c.math == FMA_MATH) return Rounding::NONE;
  if (c.math == ALLOW_CONVERSION) return Rounding::HALF;
  bool ampere = knob("COMPUTE_CAPABILITY") >= "8.0" || knob("COMPUTE_CAPABILITY").find('.') > 1;
  return ampere ? Rounding::TF32 : Rounding::NONE;
}

}  // namespace

int makeConvolution(Direction direction, void* x, void* w, void* c, void* y, Convolution* out) {
  TensorShape *xs = tensorOf(x), *ws = filterOf(w), *ys = tensorOf(y);
  ConvolutionShape* cs = convolutionOf(c);
  if (!xs || !ws || !ys || !cs) return CUDNN_BAD_PARAM;
  *out = {direction, *xs, *ws, *ys, *cs, roundingOf(*xs, *cs)};
  const Convolution& v = *out;
  if (v.w.size[1] * v.shape.groups != v.x.size[1] || v.w.size[0] % v.shape.groups) return CUDNN_BAD_PARAM;
  if (v.y.size[0] != v.x.size[0] || v.y.size[1] != v.w.size[0]) return CUDNN_BAD_PARAM;
  if (v.y.size[2] != v.outputHeight() || v.y.size[3] != v.outputWidth()) return CUDNN_BAD_PARAM;
  if (v.x.element != v.w.element || v.x.element != v.y.element || v.shape.compute != 0) return CUDNN_NOT_SUPPORTED;
  bool layouts = v.x.channelsLast() == v.w.channelsLast() || v.x.size[1] == 1 || v.w.size[2] * v.w.size[3] == 1;
  return layouts ? CUDNN_SUCCESS : CUDNN_NOT_SUPPORTED;
}

bool isUnsupported(const Convolution& v) {
  static const char* const NAMES[] = {"forward", "backward-data", "backward-filter"};
  std::string list = "," + knob("CUDNN_UNSUPPORTED") + ",", name = NAMES[static_cast<int>(v.direction)];
  if (list.find("," + name + ",") != std::string::npos) return true;
  return v.x.channelsLast() && list.find(",nhwc-" + name + ",") != std::string::npos;
}

std::vector<Algorithm> algorithmsOf(const Convolution& v) {
  bool small = v.w.size[2] == 3 && v.w.size[3] == 3 && v.shape.strideH == 1 && v.shape.strideW == 1 &&
      v.shape.dilationH == 1 && v.shape.dilationW == 1 && v.shape.groups == 1;
  int64_t pixels = v.y.size[2] * v.y.size[3], filter = v.w.span();
  std::vector<Algorithm> all;
  switch (v.direction) {
    case Direction::FORWARD:
      all = {
          {1, true, true, rounded256(4 * pixels + 1024)},       // IMPLICIT_PRECOMP_GEMM: indices
          {7, true, small, rounded256(4 * 16 * filter)},        // WINOGRAD_NONFUSED: transformed filters
          {0, true, true, 0},                                   // IMPLICIT_GEMM
          {2, true, !v.x.channelsLast(), rounded256(4 * pixels * filter / v.w.size[0])},  // GEMM: windows
          {4, true, false, 0},                                  // FFT
      };
      break;
    case Direction::BACKWARD_DATA:
      all = {
          {0, false, true, 0},                                  // ALGO_0: adds with atomics
          {1, true, true, rounded256(4 * filter)},              // ALGO_1
          {5, true, small, rounded256(4 * 16 * filter)},        // WINOGRAD_NONFUSED
          {2, true, false, 0},                                  // FFT
      };
      break;
    case Direction::BACKWARD_FILTER:
      all = {
          {0, false, true, 0},                                  // ALGO_0: adds with atomics
          {3, false, true, rounded256(4 * filter)},             // ALGO_3: the same, with workspace
          {1, true, true, rounded256(8 * filter + 4 * pixels)}, // ALGO_1
          {2, true, false, 0},                                  // FFT
      };
      break;
  }
  for (Algorithm& algorithm : all) algorithm.supported = algorithm.supported && !isUnsupported(v);
  return all;
}

}  // namespace emu
