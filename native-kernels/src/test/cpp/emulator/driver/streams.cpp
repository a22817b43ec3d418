#include "streams.h"
#include "../core/bench.h"
#include "../core/handles.h"
#include "context.h"

namespace emu {
namespace {

Handles<Stream>& streams() {
  static Handles<Stream> instance("stream");
  return instance;
}

Stream& defaultStream() {
  static Stream instance;
  return instance;
}

const bool registered = [] {
  onContextEnd([] { streams().clear(); });
  return true;
}();

}  // namespace

bool deferred() { return flag("DEFERRED_STREAMS"); }

Stream* streamOf(void* handle) {
  // 0, CU_STREAM_LEGACY and CU_STREAM_PER_THREAD; the last is treated as the first.
  if (reinterpret_cast<uintptr_t>(handle) <= 2) return &defaultStream();
  return streams().find(handle);
}

bool isDefault(const Stream& stream) { return &stream == &defaultStream(); }

bool capturing() {
  for (auto& entry : streams()) {
    if (entry.second->recording) return true;
  }
  return false;
}

bool isStream(void* stream) { return streamOf(stream) != nullptr; }

void runFirst(Stream& stream) {
  Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  if (!context().error) work.run();
}

void drain(Stream& stream) {
  for (size_t n = stream.queue.size(); n > 0 && !stream.queue.empty(); n--) runFirst(stream);
}

void drainDefault() {
  drain(defaultStream());
  for (auto& entry : streams()) {
    if (entry.second->blocking) drain(*entry.second);
  }
}

void drainAll() {
  drain(defaultStream());
  for (auto& entry : streams()) drain(*entry.second);
}

void discardWork() {
  defaultStream().queue.clear();
  for (auto& entry : streams()) {
    entry.second->queue.clear();
    entry.second->recording.reset();
  }
}

void submit(void* handle, const char* what, std::function<void()> work) {
  Stream* stream = streamOf(handle);
  if (!stream) return;
  if (stream->recording) {
    stream->recording->push_back({what, std::move(work)});
  } else if (!deferred()) {
    if (!context().error) work();
  } else {
    if (stream == &defaultStream()) {
      drainDefault();
    } else if (stream->blocking) {
      drain(defaultStream());
    }
    stream->queue.push_back({what, std::move(work)});
  }
}

}  // namespace emu

using namespace emu;

CU_API cuStreamCreateWithPriority(CUstream* handle, unsigned flags, int priority) {
  CU_ENTER_CONTEXT("cuStreamCreateWithPriority");
  if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
  auto stream = std::make_unique<Stream>();
  stream->flags = flags;
  stream->blocking = flags == 0;
  stream->priority = priority > 0 ? 0 : priority < -5 ? -5 : priority;
  streams().add(handle, std::move(stream));
  return CUDA_SUCCESS;
}

CU_API cuStreamCreate(CUstream* handle, unsigned flags) {
  CU_ENTER_CONTEXT("cuStreamCreate");
  if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
  auto stream = std::make_unique<Stream>();
  stream->flags = flags;
  stream->blocking = flags == 0;
  streams().add(handle, std::move(stream));
  return CUDA_SUCCESS;
}

CU_API cuStreamDestroy_v2(CUstream handle) {
  CU_ENTER_CONTEXT("cuStreamDestroy_v2");
  Stream* stream = streams().find(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!stream->queue.empty()) {
    breakContext(CUDA_ERROR_LAUNCH_FAILED, "cuStreamDestroy: " + std::to_string(stream->queue.size()) +
        " operations have not run, the next is " + stream->queue.front().what);
  }
  streams().remove(handle);
  return CUDA_SUCCESS;
}

CU_API cuStreamSynchronize(CUstream handle) {
  CU_ENTER_CONTEXT("cuStreamSynchronize");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->recording) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream == &defaultStream()) {
    drainDefault();
  } else {
    drain(*stream);
  }
  return context().error;
}

CU_API cuStreamQuery(CUstream handle) {
  CU_ENTER_CONTEXT("cuStreamQuery");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->recording) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->queue.empty()) return CUDA_SUCCESS;
  runFirst(*stream);  // so that a loop of queries ends
  return context().error ? context().error : CUDA_ERROR_NOT_READY;
}

CU_API cuStreamGetFlags(CUstream handle, unsigned* flags) {
  CU_ENTER_CONTEXT("cuStreamGetFlags");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *flags = stream->flags;
  return CUDA_SUCCESS;
}

CU_API cuStreamGetPriority(CUstream handle, int* priority) {
  CU_ENTER_CONTEXT("cuStreamGetPriority");
  Stream* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *priority = stream->priority;
  return CUDA_SUCCESS;
}

CU_API cuLaunchHostFunc(CUstream handle, void (*function)(void*), void* data) {
  CU_ENTER_CONTEXT("cuLaunchHostFunc");
  if (!streamOf(handle)) return CUDA_ERROR_INVALID_HANDLE;
  submit(handle, "cuLaunchHostFunc", [=] { function(data); });
  return CUDA_SUCCESS;
}

CU_API cuStreamAddCallback(CUstream handle, void (*callback)(CUstream, int, void*), void* data, unsigned flags) {
  CU_ENTER_CONTEXT("cuStreamAddCallback");
  if (!streamOf(handle)) return CUDA_ERROR_INVALID_HANDLE;
  if (flags) return CUDA_ERROR_INVALID_VALUE;
  submit(handle, "cuStreamAddCallback", [=] { callback(handle, context().error, data); });
  return CUDA_SUCCESS;
}
