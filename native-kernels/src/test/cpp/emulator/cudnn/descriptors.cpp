#include "descriptors.h"
#include <cstdlib>
#include <cstring>
#include "../core/handles.h"

namespace emu {
namespace {

struct Filter {
  TensorShape shape;
};

Handles<Dnn>& handles() {
  static Handles<Dnn> instance("cuDNN handle");
  return instance;
}
Handles<TensorShape>& tensors() {
  static Handles<TensorShape> instance("cuDNN tensor descriptor");
  return instance;
}
Handles<Filter>& filters() {
  static Handles<Filter> instance("cuDNN filter descriptor");
  return instance;
}
Handles<ConvolutionShape>& convolutions() {
  static Handles<ConvolutionShape> instance("cuDNN convolution descriptor");
  return instance;
}

template <class T>
int create(Handles<T>& all, void** descriptor) {
  if (!descriptor) return CUDNN_BAD_PARAM;
  all.add(descriptor, std::make_unique<T>());
  return CUDNN_SUCCESS;
}

template <class T>
int destroy(Handles<T>& all, void* descriptor) {
  return !descriptor || all.remove(descriptor) ? CUDNN_SUCCESS : CUDNN_BAD_PARAM;
}

bool elementOf(int cudnnType, Type* type) {
  switch (cudnnType) {
    case 0: *type = Type::FLOAT; return true;
    case 2: *type = Type::HALF; return true;
    case 9: *type = Type::BFLOAT16; return true;
    default: return false;
  }
}

enum : int { NCHW = 0, NHWC = 1 };

int setPacked(TensorShape* shape, int format, int type, int64_t n, int64_t c, int64_t h, int64_t w) {
  if (!shape || n <= 0 || c <= 0 || h <= 0 || w <= 0 || format < NCHW || format > NHWC) return CUDNN_BAD_PARAM;
  if (!elementOf(type, &shape->element)) return CUDNN_NOT_SUPPORTED;
  int64_t last[] = {h * w * c, 1, w * c, c}, first[] = {c * h * w, h * w, w, 1}, size[] = {n, c, h, w};
  std::memcpy(shape->size, size, sizeof size);
  std::memcpy(shape->stride, format == NHWC ? last : first, sizeof last);
  shape->type = type;
  shape->set = true;
  return CUDNN_SUCCESS;
}

}  // namespace

int64_t TensorShape::span() const {
  int64_t last = 0;
  for (int i = 0; i < 4; i++) last += (size[i] - 1) * stride[i];
  return last + 1;
}

Dnn* dnnOf(void* handle) { return handles().find(handle); }

TensorShape* tensorOf(void* descriptor) {
  TensorShape* shape = tensors().find(descriptor);
  return shape && shape->set ? shape : nullptr;
}

TensorShape* filterOf(void* descriptor) {
  Filter* filter = filters().find(descriptor);
  return filter && filter->shape.set ? &filter->shape : nullptr;
}

ConvolutionShape* convolutionOf(void* descriptor) {
  ConvolutionShape* shape = convolutions().find(descriptor);
  return shape && shape->set ? shape : nullptr;
}

}  // namespace emu

using namespace emu;

CUDNN_API cudnnCreate(void** handle) {
  CUDNN_ENTER_DEVICE("cudnnCreate");
  if (!hasContext()) return CUDNN_NOT_INITIALIZED;
  return create(handles(), handle);
}

CUDNN_API cudnnDestroy(void* handle) {
  CUDNN_ENTER("cudnnDestroy");
  return destroy(handles(), handle);
}

CUDNN_API cudnnSetStream(void* handle, void* stream) {
  CUDNN_ENTER_DEVICE("cudnnSetStream");
  Dnn* dnn = dnnOf(handle);
  if (!dnn || !isStream(stream)) return CUDNN_BAD_PARAM;
  dnn->stream = stream;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetStream(void* handle, void** stream) {
  CUDNN_ENTER_DEVICE("cudnnGetStream");
  Dnn* dnn = dnnOf(handle);
  if (!dnn) return CUDNN_BAD_PARAM;
  *stream = dnn->stream;
  return CUDNN_SUCCESS;
}

extern "C" EMU_EXPORT size_t cudnnGetVersion() {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  count("cudnnGetVersion");
  return static_cast<size_t>(std::atoi(knob("CUDNN_VERSION").c_str()));
}

extern "C" EMU_EXPORT size_t cudnnGetCudartVersion() {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  count("cudnnGetCudartVersion");
  return 12060;
}

extern "C" EMU_EXPORT const char* cudnnGetErrorString(int code) {
  std::lock_guard<std::recursive_mutex> guard(mutex());
  count("cudnnGetErrorString");
  switch (code / 1000) {
    case 0: return code == 0 ? "CUDNN_STATUS_SUCCESS" : "CUDNN_UNKNOWN_STATUS";
    case 1: return "CUDNN_STATUS_NOT_INITIALIZED";
    case 2: return "CUDNN_STATUS_BAD_PARAM";
    case 3: return "CUDNN_STATUS_NOT_SUPPORTED";
    case 4: return "CUDNN_STATUS_INTERNAL_ERROR";
    case 5: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return "CUDNN_UNKNOWN_STATUS";
  }
}

CUDNN_API cudnnCreateTensorDescriptor(void** descriptor) {
  CUDNN_ENTER("cudnnCreateTensorDescriptor");
  return create(tensors(), descriptor);
}

CUDNN_API cudnnDestroyTensorDescriptor(void* descriptor) {
  CUDNN_ENTER("cudnnDestroyTensorDescriptor");
  return destroy(tensors(), descriptor);
}

CUDNN_API cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w) {
  CUDNN_ENTER("cudnnSetTensor4dDescriptor");
  return setPacked(tensors().find(descriptor), format, type, n, c, h, w);
}

CUDNN_API cudnnSetTensor4dDescriptorEx(void* descriptor, int type, int n, int c, int h, int w, int strideN, int strideC,
    int strideH, int strideW) {
  CUDNN_ENTER("cudnnSetTensor4dDescriptorEx");
  TensorShape* shape = tensors().find(descriptor);
  if (strideN <= 0 || strideC <= 0 || strideH <= 0 || strideW <= 0) return CUDNN_BAD_PARAM;
  if (int code = setPacked(shape, NCHW, type, n, c, h, w)) return code;
  int64_t stride[] = {strideN, strideC, strideH, strideW};
  std::memcpy(shape->stride, stride, sizeof stride);
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetTensorSizeInBytes(void* descriptor, size_t* bytes) {
  CUDNN_ENTER("cudnnGetTensorSizeInBytes");
  TensorShape* shape = tensorOf(descriptor);
  if (!shape) return CUDNN_BAD_PARAM;
  *bytes = shape->bytes();
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnCreateFilterDescriptor(void** descriptor) {
  CUDNN_ENTER("cudnnCreateFilterDescriptor");
  return create(filters(), descriptor);
}

CUDNN_API cudnnDestroyFilterDescriptor(void* descriptor) {
  CUDNN_ENTER("cudnnDestroyFilterDescriptor");
  return destroy(filters(), descriptor);
}

CUDNN_API cudnnSetFilter4dDescriptor(void* descriptor, int type, int format, int k, int c, int r, int s) {
  CUDNN_ENTER("cudnnSetFilter4dDescriptor");
  Filter* filter = filters().find(descriptor);
  return setPacked(filter ? &filter->shape : nullptr, format, type, k, c, r, s);
}

CUDNN_API cudnnCreateConvolutionDescriptor(void** descriptor) {
  CUDNN_ENTER("cudnnCreateConvolutionDescriptor");
  return create(convolutions(), descriptor);
}

CUDNN_API cudnnDestroyConvolutionDescriptor(void* descriptor) {
  CUDNN_ENTER("cudnnDestroyConvolutionDescriptor");
  return destroy(convolutions(), descriptor);
}

CUDNN_API cudnnSetConvolution2dDescriptor(void* descriptor, int padH, int padW, int strideH, int strideW, int dilationH,
    int dilationW, int mode, int compute) {
  CUDNN_ENTER("cudnnSetConvolution2dDescriptor");
  ConvolutionShape* c = convolutions().find(descriptor);
  bool good = padH >= 0 && padW >= 0 && strideH > 0 && strideW > 0 && dilationH > 0 && dilationW > 0;
  if (!c || !good || mode < 0 || mode > 1) return CUDNN_BAD_PARAM;
  *c = {true, padH, padW, strideH, strideW, dilationH, dilationW, mode == 0, compute, c->groups, c->math};
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnSetConvolutionGroupCount(void* descriptor, int groups) {
  CUDNN_ENTER("cudnnSetConvolutionGroupCount");
  ConvolutionShape* c = convolutions().find(descriptor);
  if (!c || groups < 1) return CUDNN_BAD_PARAM;
  c->groups = groups;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnSetConvolutionMathType(void* descriptor, int math) {
  CUDNN_ENTER("cudnnSetConvolutionMathType");
  ConvolutionShape* c = convolutions().find(descriptor);
  if (!c || math < 0 || math > 3) return CUDNN_BAD_PARAM;
  c->math = math;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetConvolutionMathType(void* descriptor, int* math) {
  CUDNN_ENTER("cudnnGetConvolutionMathType");
  ConvolutionShape* c = convolutions().find(descriptor);
  if (!c) return CUDNN_BAD_PARAM;
  *math = c->math;
  return CUDNN_SUCCESS;
}

/** What every cuDNN function that is not written answers. */
extern "C" int emu_unwritten_cudnn(const char* name) {
  CUDNN_ENTER_DEVICE(name);
  return CUDNN_NOT_SUPPORTED;
}
