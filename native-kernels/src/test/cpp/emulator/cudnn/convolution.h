// One convolution in one of its three directions.
#pragma once
#include <vector>
#include "descriptors.h"

namespace emu {

enum class Direction { FORWARD, BACKWARD_DATA, BACKWARD_FILTER };

struct Convolution {
  Direction direction;
  TensorShape x, w, y;  // as in the forward direction: input, filter, output
  ConvolutionShape shape;
  Rounding rounding;    // of the inputs of products

  int64_t outputHeight() const { return output(x.size[2], w.size[2], shape.padH, shape.strideH, shape.dilationH); }
  int64_t outputWidth() const { return output(x.size[3], w.size[3], shape.padW, shape.strideW, shape.dilationW); }

 private:
  static int64_t output(int64_t in, int64_t taps, int pad, int stride, int dilation) {
    return (in + 2 * pad - ((taps - 1) * dilation + 1)) / stride + 1;
  }
};

/** A way to compute it; sizes and determinism as cuDNN reports them. */
struct Algorithm {
  int number;
  bool deterministic;
  bool supported;
  size_t workspace;  // bytes
};

/** Reads the descriptors; a cuDNN status. */
int makeConvolution(Direction direction, void* x, void* w, void* c, void* y, Convolution* out);

/** Whether a test has ordered that the direction is not supported. */
bool isUnsupported(const Convolution& convolution);

/** All ways, in the order of cuDNN's preference. */
std::vector<Algorithm> algorithmsOf(const Convolution& convolution);

/** result = alpha * convolution + beta * result, where result is y, x or w, after the direction. */
void compute(const Convolution& convolution, bool deterministic, float alpha, float beta, void* x, void* w, void* y);

}  // namespace emu
