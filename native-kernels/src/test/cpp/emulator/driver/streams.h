// Streams and events. Work normally runs when it is submitted; deferred, it waits for a point of synchronisation.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>
#include "api.h"

namespace emu {

struct Work {
  std::string what;
  std::function<void()> run;
};

/** A graph being captured, or captured: its work in the order of submission. */
typedef std::vector<Work> Recording;

struct Stream {
  bool blocking = true;  // waits for the default stream, and is waited for
  unsigned flags = 0;
  int priority = 0;
  std::deque<Work> queue;
  std::unique_ptr<Recording> recording;
};

/** The stream behind a handle; the default stream for its three handles; null for a stale handle. */
Stream* streamOf(void* handle);

/** Whether it is the stream that handle 0 means. */
bool isDefault(const Stream& stream);

/** Whether a stream records; what waits for the device at once is refused then. */
bool capturing();

/** Runs the next operation of a stream that has one. */
void runFirst(Stream& stream);

/** Runs everything that was submitted to the stream so far. */
void drain(Stream& stream);

/** What a call on the default stream waits for: itself and all blocking streams. */
void drainDefault();

void drainAll();

/** Drops all work that has not run. */
void discardWork();

bool deferred();

/** Whether the host may hand this range to an asynchronous copy: only pinned memory stays where it is. */
bool isPinned(const void* start, size_t bytes);

}  // namespace emu
