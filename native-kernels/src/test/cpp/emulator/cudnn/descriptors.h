// Handles and descriptors of the emulated cuDNN 9.
#pragma once
#include <cstdint>
#include "../core/emulator.h"
#include "../core/numbers.h"

namespace emu {

/** cuDNN 9's numbers: thousands are categories. */
enum : int {
  CUDNN_SUCCESS = 0,
  CUDNN_NOT_INITIALIZED = 1001,
  CUDNN_BAD_PARAM = 2000,
  CUDNN_NOT_SUPPORTED = 3000,
  CUDNN_INTERNAL_ERROR = 4000,
  CUDNN_EXECUTION_FAILED = 5000,
};

struct Dnn {
  void* stream = nullptr;
};

/** Sizes and strides in the order n, c, h, w; of a filter k, c, r, s. */
struct TensorShape {
  bool set = false;
  int type = 0;  // cudnnDataType_t
  Type element = Type::FLOAT;
  int64_t size[4], stride[4];

  /** Elements from the first to the last, both included. */
  int64_t span() const;

  size_t bytes() const { return static_cast<size_t>(span()) * sizeOf(element); }

  /** Channels are neighbours in memory. */
  bool channelsLast() const { return stride[1] == 1; }
};

struct ConvolutionShape {
  bool set = false;
  int padH, padW, strideH, strideW, dilationH, dilationW;
  bool flipped;  // CUDNN_CONVOLUTION rather than CUDNN_CROSS_CORRELATION
  int compute;   // cudnnDataType_t
  int groups = 1;
  int math = 0;  // cudnnMathType_t
};

Dnn* dnnOf(void* handle);
TensorShape* tensorOf(void* descriptor);
TensorShape* filterOf(void* descriptor);
ConvolutionShape* convolutionOf(void* descriptor);

}  // namespace emu

#define CUDNN_API extern "C" EMU_EXPORT int

#define CUDNN_ENTER(name)                                    \
  std::lock_guard<std::recursive_mutex> guard(emu::mutex()); \
  if (int code = emu::enter(name)) return code

/** For what needs the device. */
#define CUDNN_ENTER_DEVICE(name) \
  CUDNN_ENTER(name);             \
  if (emu::deviceError()) return emu::CUDNN_EXECUTION_FAILED
