// The functions of convolution.
#include <algorithm>
#include <cstring>
#include <vector>
#include "convolution.h"

namespace emu {
namespace {

/** cudnnConvolution*AlgoPerf_t, the same for the three directions. */
struct Performance {
  int algorithm, status;
  float milliseconds;
  size_t workspace;
  int deterministic, math;
  int reserved[3];
};

int listAlgorithms(Direction direction, void* handle, void* x, void* w, void* c, void* y, int requested, int* returned,
    Performance* results) {
  Convolution v;
  if (!dnnOf(handle) || requested < 1 || !returned || !results) return CUDNN_BAD_PARAM;
  if (int code = makeConvolution(direction, x, w, c, y, &v)) return code;
  std::vector<Algorithm> all = algorithmsOf(v);
  std::stable_partition(all.begin(), all.end(), [](const Algorithm& a) { return a.supported; });
  *returned = std::min(requested, static_cast<int>(all.size()));
  for (int i = 0; i < *returned; i++) {
    const Algorithm& a = all[static_cast<size_t>(i)];
    results[i] = {a.number, a.supported ? CUDNN_SUCCESS : CUDNN_NOT_SUPPORTED, -1, a.workspace, a.deterministic,
        v.shape.math, {}};
  }
  return CUDNN_SUCCESS;
}

/** Finds an algorithm by its number; a cuDNN status. */
int findAlgorithm(const Convolution& v, int number, Algorithm* out) {
  for (const Algorithm& a : algorithmsOf(v)) {
    if (a.number != number) continue;
    *out = a;
    return a.supported ? CUDNN_SUCCESS : CUDNN_NOT_SUPPORTED;
  }
  return CUDNN_NOT_SUPPORTED;
}

int workspaceSize(Direction direction, void* handle, void* x, void* w, void* c, void* y, int number, size_t* bytes) {
  Convolution v;
  Algorithm algorithm;
  if (!dnnOf(handle) || !bytes) return CUDNN_BAD_PARAM;
  if (int code = makeConvolution(direction, x, w, c, y, &v)) return code;
  if (int code = findAlgorithm(v, number, &algorithm)) return code;
  *bytes = algorithm.workspace;
  return CUDNN_SUCCESS;
}

struct Pointers {
  const void *alpha, *beta, *x, *w, *y;
  void* workspace;
  size_t workspaceBytes;
};

int refuse(const char* name, const std::string& why) {
  note(std::string(name) + ": " + why);
  return CUDNN_BAD_PARAM;
}

int convolve(const char* name, Direction direction, void* handle, void* x, void* w, void* c, void* y, int number,
    Pointers p) {
  Convolution v;
  Algorithm algorithm;
  Dnn* dnn = dnnOf(handle);
  if (!dnn || !p.alpha || !p.beta || !p.x || !p.w || !p.y) return refuse(name, "a null argument");
  if (int code = makeConvolution(direction, x, w, c, y, &v)) return code;
  if (int code = findAlgorithm(v, number, &algorithm)) return code;
  if (p.workspaceBytes < algorithm.workspace || (algorithm.workspace && !p.workspace)) {
    return refuse(name, "algorithm " + std::to_string(number) + " needs a workspace of " +
        std::to_string(algorithm.workspace) + " bytes");
  }
  if (isDeviceAddress(p.alpha) || isDeviceAddress(p.beta)) return refuse(name, "alpha or beta is a device pointer");
  float alpha = *static_cast<const float*>(p.alpha), beta = *static_cast<const float*>(p.beta);
  submit(dnn->stream, name, [=] {
    bool good = inAllocation(p.x, v.x.bytes(), name) && inAllocation(p.w, v.w.bytes(), name) &&
        inAllocation(p.y, v.y.bytes(), name) && inAllocation(p.workspace, algorithm.workspace, name);
    if (!good) return;
    if (algorithm.workspace) std::memset(p.workspace, 0xFF, algorithm.workspace);
    compute(v, algorithm.deterministic, alpha, beta, const_cast<void*>(p.x), const_cast<void*>(p.w),
        const_cast<void*>(p.y));
  });
  return CUDNN_SUCCESS;
}

}  // namespace
}  // namespace emu

using namespace emu;

CUDNN_API cudnnGetConvolution2dForwardOutputDim(void* c, void* x, void* w, int* n, int* k, int* h, int* width) {
  CUDNN_ENTER("cudnnGetConvolution2dForwardOutputDim");
  TensorShape *xs = tensorOf(x), *ws = filterOf(w);
  ConvolutionShape* cs = convolutionOf(c);
  if (!xs || !ws || !cs || ws->size[1] * cs->groups != xs->size[1]) return CUDNN_BAD_PARAM;
  Convolution v{Direction::FORWARD, *xs, *ws, *xs, *cs, Rounding::NONE};
  *n = static_cast<int>(xs->size[0]);
  *k = static_cast<int>(ws->size[0]);
  *h = static_cast<int>(v.outputHeight());
  *width = static_cast<int>(v.outputWidth());
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetConvolutionForwardAlgorithmMaxCount(void*, int* count) {
  CUDNN_ENTER("cudnnGetConvolutionForwardAlgorithmMaxCount");
  *count = 5;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetConvolutionBackwardDataAlgorithmMaxCount(void*, int* count) {
  CUDNN_ENTER("cudnnGetConvolutionBackwardDataAlgorithmMaxCount");
  *count = 4;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(void*, int* count) {
  CUDNN_ENTER("cudnnGetConvolutionBackwardFilterAlgorithmMaxCount");
  *count = 4;
  return CUDNN_SUCCESS;
}

CUDNN_API cudnnGetConvolutionForwardAlgorithm_v7(void* handle, void* x, void* w, void* c, void* y, int requested,
    int* returned, Performance* results) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionForwardAlgorithm_v7");
  return listAlgorithms(Direction::FORWARD, handle, x, w, c, y, requested, returned, results);
}

CUDNN_API cudnnGetConvolutionBackwardDataAlgorithm_v7(void* handle, void* w, void* y, void* c, void* x, int requested,
    int* returned, Performance* results) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionBackwardDataAlgorithm_v7");
  return listAlgorithms(Direction::BACKWARD_DATA, handle, x, w, c, y, requested, returned, results);
}

CUDNN_API cudnnGetConvolutionBackwardFilterAlgorithm_v7(void* handle, void* x, void* y, void* c, void* w, int requested,
    int* returned, Performance* results) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionBackwardFilterAlgorithm_v7");
  return listAlgorithms(Direction::BACKWARD_FILTER, handle, x, w, c, y, requested, returned, results);
}

CUDNN_API cudnnGetConvolutionForwardWorkspaceSize(void* handle, void* x, void* w, void* c, void* y, int algorithm,
    size_t* bytes) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionForwardWorkspaceSize");
  return workspaceSize(Direction::FORWARD, handle, x, w, c, y, algorithm, bytes);
}

CUDNN_API cudnnGetConvolutionBackwardDataWorkspaceSize(void* handle, void* w, void* y, void* c, void* x, int algorithm,
    size_t* bytes) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionBackwardDataWorkspaceSize");
  return workspaceSize(Direction::BACKWARD_DATA, handle, x, w, c, y, algorithm, bytes);
}

CUDNN_API cudnnGetConvolutionBackwardFilterWorkspaceSize(void* handle, void* x, void* y, void* c, void* w,
    int algorithm, size_t* bytes) {
  CUDNN_ENTER_DEVICE("cudnnGetConvolutionBackwardFilterWorkspaceSize");
  return workspaceSize(Direction::BACKWARD_FILTER, handle, x, w, c, y, algorithm, bytes);
}

CUDNN_API cudnnConvolutionForward(void* handle, const void* alpha, void* xShape, const void* x, void* wShape,
    const void* w, void* c, int algorithm, void* workspace, size_t bytes, const void* beta, void* yShape, void* y) {
  CUDNN_ENTER_DEVICE("cudnnConvolutionForward");
  return convolve("cudnnConvolutionForward", Direction::FORWARD, handle, xShape, wShape, c, yShape, algorithm,
      {alpha, beta, x, w, y, workspace, bytes});
}

CUDNN_API cudnnConvolutionBackwardData(void* handle, const void* alpha, void* wShape, const void* w, void* yShape,
    const void* dy, void* c, int algorithm, void* workspace, size_t bytes, const void* beta, void* xShape, void* dx) {
  CUDNN_ENTER_DEVICE("cudnnConvolutionBackwardData");
  return convolve("cudnnConvolutionBackwardData", Direction::BACKWARD_DATA, handle, xShape, wShape, c, yShape,
      algorithm, {alpha, beta, dx, w, dy, workspace, bytes});
}

CUDNN_API cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* xShape, const void* x, void* yShape,
    const void* dy, void* c, int algorithm, void* workspace, size_t bytes, const void* beta, void* wShape, void* dw) {
  CUDNN_ENTER_DEVICE("cudnnConvolutionBackwardFilter");
  return convolve("cudnnConvolutionBackwardFilter", Direction::BACKWARD_FILTER, handle, xShape, wShape, c, yShape,
      algorithm, {alpha, beta, x, dw, dy, workspace, bytes});
}
