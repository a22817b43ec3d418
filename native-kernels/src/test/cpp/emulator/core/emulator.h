// What the emulated libcuda gives to the emulated cuBLAS, cuDNN and NVRTC, which are linked to it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#define EMU_EXPORT __attribute__((visibility("default")))

namespace emu {

/** One lock for all four libraries: calls are serialised, as calls into one context are by the real driver. */
EMU_EXPORT std::recursive_mutex& mutex();

/** Counts a call. */
EMU_EXPORT void count(const char* call);

/** Counts a call; returns the code that CudaEmulator.fail ordered for it, or 0. */
EMU_EXPORT int enter(const char* call);

/** Remembers the text that explains an error, for CudaEmulator.lastFault. */
EMU_EXPORT void note(const std::string& text);

/** A broken context or lost device: what the driver answers to every call; 0 while all is well. */
EMU_EXPORT int deviceError();

/** Whether this thread has a current context. */
EMU_EXPORT bool hasContext();

/** False, with the context broken by an illegal address, when the bytes do not lie inside one live allocation. */
EMU_EXPORT bool inAllocation(const void* start, size_t bytes, const char* what);

/** Whether the address lies in the arena from which all device memory is cut. */
EMU_EXPORT bool isDeviceAddress(const void* address);

/** Whether `stream`, as a cudaStream_t, can be used: null, one of the two default ones, or a live one. */
EMU_EXPORT bool isStream(void* stream);

/** Runs the work in the order of the stream: at once, or at a point of synchronisation if streams are deferred. */
EMU_EXPORT void submit(void* stream, const char* what, std::function<void()> work);

/** A setting, as CudaEmulator.set wrote it, or its default. */
EMU_EXPORT std::string knob(const char* name);

/** Called when the emulated device is made fresh; the other libraries forget their objects then. */
EMU_EXPORT void onReset(std::function<void()> forget);

/** Lists an object among the leaks until it is destroyed. */
EMU_EXPORT void track(void* handle, const std::string& text);
EMU_EXPORT void untrack(void* handle);

/** A handle value that was never used before, so that a stale handle never means a later object. */
EMU_EXPORT void* freshHandle();

}  // namespace emu

