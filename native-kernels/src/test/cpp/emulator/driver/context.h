// The state of the one emulated device, its primary context, and what a fault does to it.
#pragma once
#include "api.h"

namespace emu {

struct Context {
  bool initialised = false;
  int retained = 0;  // references to the primary context
  int error = 0;     // a fault that broke the context: answered to every call until the context is gone
};

Context& context();

/** Called when a broken context, or one that is reset, takes its objects with it. */
void onContextEnd(std::function<void()> end);

/** Whether an error ends a context's life, as documented for each code. */
bool breaksContext(int code);

}  // namespace emu
