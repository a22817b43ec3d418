// Graphs by capture: a capturing stream keeps its work instead of running it, and a launch submits all of it again.
#include "../core/bench.h"
#include "../core/handles.h"
#include "context.h"
#include "streams.h"

namespace emu {
namespace {

Handles<Recording>& graphs() {
  static Handles<Recording> instance("graph");
  return instance;
}

Handles<Recording>& executables() {
  static Handles<Recording> instance("executable graph");
  return instance;
}

const bool registered = [] {
  onContextEnd([] {
    graphs().clear();
    executables().clear();
  });
  return true;
}();

}  // namespace
}  // namespace emu

using namespace emu;

CU_API cuStreamBeginCapture_v2(CUstream handle, int mode) {
  CU_ENTER_CONTEXT("cuStreamBeginCapture_v2");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (mode < 0 || mode > 2) return CUDA_ERROR_INVALID_VALUE;
  if (isDefault(*stream)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->recording) return CUDA_ERROR_ILLEGAL_STATE;
  stream->recording = std::make_unique<Recording>();
  return CUDA_SUCCESS;
}

CU_API cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  CU_ENTER_CONTEXT("cuStreamEndCapture");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!stream->recording) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  graphs().add(graph, std::move(stream->recording));
  return CUDA_SUCCESS;
}

CU_API cuStreamIsCapturing(CUstream handle, int* status) {
  CU_ENTER_CONTEXT("cuStreamIsCapturing");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *status = stream->recording ? 1 : 0;
  return CUDA_SUCCESS;
}

CU_API cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long) {
  CU_ENTER_CONTEXT("cuGraphInstantiateWithFlags");
  Recording* graph = graphs().find(handle);
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  executables().add(executable, std::make_unique<Recording>(*graph));
  return CUDA_SUCCESS;
}

CU_API cuGraphUpload(CUgraphExec handle, CUstream stream) {
  CU_ENTER_CONTEXT("cuGraphUpload");
  return executables().find(handle) && streamOf(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CU_API cuGraphLaunch(CUgraphExec handle, CUstream stream) {
  CU_ENTER_CONTEXT("cuGraphLaunch");
  Recording* graph = executables().find(handle);
  if (!graph || !streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  submit(stream, "cuGraphLaunch", [copy = *graph] {
    for (const Work& work : copy) {
      if (!context().error) work.run();
    }
  });
  return CUDA_SUCCESS;
}

CU_API cuGraphDestroy(CUgraph handle) {
  CU_ENTER_CONTEXT("cuGraphDestroy");
  return graphs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CU_API cuGraphExecDestroy(CUgraphExec handle) {
  CU_ENTER_CONTEXT("cuGraphExecDestroy");
  return executables().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
