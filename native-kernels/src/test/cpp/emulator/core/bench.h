// The workbench of a test: settings, ordered failures, counts and lists. Only control.cpp and the driver use it.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "emulator.h"

namespace emu {

/** An order to fail: the nth following call of `call`, or every call of any function from then on. */
struct OrderedFailure {
  std::string call;
  int countdown;
  int code;
  bool forever;
};

struct Bench {
  std::map<std::string, std::string> knobs;
  std::vector<OrderedFailure> failures;
  std::map<std::string, int> calls;
  std::map<void*, std::string> objects;  // handle to text, in the order of creation
  std::string lastFault;
  int lostCode = 0;                      // answered to everything once the device is lost
  std::vector<std::function<void()>> forgetters;
};

Bench& bench();

/** Whole number in a knob. */
int64_t number(const char* name);
bool flag(const char* name);

/** Back to a fresh device with default settings. */
void reset();

/** The sum of the bytes of all live device allocations. */
size_t liveBytes();

/** Breaks the context: every later call answers `code` until the context is gone. */
void breakContext(int code, const std::string& text);

}  // namespace emu
