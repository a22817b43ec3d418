// Events. A wait refers to the record that was made last before it, also when the event is recorded again.
#include <chrono>
#include "../core/bench.h"
#include "../core/handles.h"
#include "context.h"
#include "streams.h"

namespace emu {
namespace {

struct Record {
  CUstream stream;
  bool done;
  double seconds;
};

struct Event {
  bool timed;
  std::shared_ptr<Record> last;
};

Handles<Event>& events() {
  static Handles<Event> instance("event");
  return instance;
}

const bool registered = [] {
  onContextEnd([] { events().clear(); });
  return true;
}();

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/** Runs the stream of the record until it has passed the record. */
void reach(const std::shared_ptr<Record>& record) {
  for (Stream* stream = streamOf(record->stream); stream && !record->done && !stream->queue.empty();) {
    runFirst(*stream);
  }
}

int record(CUevent handle, CUstream stream) {
  Event* event = events().find(handle);
  if (!event || !streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  auto made = std::make_shared<Record>(Record{stream, false, 0});
  event->last = made;
  submit(stream, "cuEventRecord", [made] {
    made->seconds = now();
    made->done = true;
  });
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace emu

using namespace emu;

CU_API cuEventCreate(CUevent* handle, unsigned flags) {
  CU_ENTER_CONTEXT("cuEventCreate");
  if (flags > 7) return CUDA_ERROR_INVALID_VALUE;
  events().add(handle, std::make_unique<Event>(Event{(flags & 2) == 0, nullptr}));
  return CUDA_SUCCESS;
}

CU_API cuEventDestroy_v2(CUevent handle) {
  CU_ENTER_CONTEXT("cuEventDestroy_v2");
  Event* event = events().find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  if (event->last && !event->last->done && deferred()) {
    breakContext(CUDA_ERROR_LAUNCH_FAILED, "cuEventDestroy: the event is recorded and not yet reached");
  }
  events().remove(handle);
  return CUDA_SUCCESS;
}

CU_API cuEventRecord(CUevent handle, CUstream stream) {
  CU_ENTER_CONTEXT("cuEventRecord");
  return record(handle, stream);
}

CU_API cuEventRecordWithFlags(CUevent handle, CUstream stream, unsigned flags) {
  CU_ENTER_CONTEXT("cuEventRecordWithFlags");
  return flags ? CUDA_ERROR_NOT_SUPPORTED : record(handle, stream);
}

CU_API cuEventQuery(CUevent handle) {
  CU_ENTER_CONTEXT("cuEventQuery");
  Event* event = events().find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  if (!event->last || event->last->done) return CUDA_SUCCESS;
  reach(event->last);  // after one answer of "not ready", so that a loop of queries ends
  return context().error ? context().error : CUDA_ERROR_NOT_READY;
}

CU_API cuEventSynchronize(CUevent handle) {
  CU_ENTER_CONTEXT("cuEventSynchronize");
  Event* event = events().find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  if (event->last) reach(event->last);
  return context().error;
}

CU_API cuStreamWaitEvent(CUstream stream, CUevent handle, unsigned) {
  CU_ENTER_CONTEXT("cuStreamWaitEvent");
  Event* event = events().find(handle);
  if (!event || !streamOf(stream)) return CUDA_ERROR_INVALID_HANDLE;
  if (event->last) submit(stream, "cuStreamWaitEvent", [record = event->last] { reach(record); });
  return CUDA_SUCCESS;
}

CU_API cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  CU_ENTER_CONTEXT("cuEventElapsedTime");
  Event* a = events().find(start);
  Event* b = events().find(end);
  if (!a || !b || !a->timed || !b->timed || !a->last || !b->last) return CUDA_ERROR_INVALID_HANDLE;
  if (!a->last->done || !b->last->done) return CUDA_ERROR_NOT_READY;
  *milliseconds = static_cast<float>((b->last->seconds - a->last->seconds) * 1e3);
  return CUDA_SUCCESS;
}
