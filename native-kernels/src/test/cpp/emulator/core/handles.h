// Objects behind opaque handles. A handle is a number, not an address: using a destroyed one is an error, not a crash.
#pragma once
#include <map>
#include <memory>
#include "emulator.h"

namespace emu {

template <class T>
class Handles {
 public:
  explicit Handles(const char* kind) : kind_(kind) {
    onReset([this] { objects_.clear(); });
  }

  /** Takes the object and writes its handle; `detail` helps to tell leaked objects apart. */
  template <class H>
  T* add(H* handle, std::unique_ptr<T> object, const std::string& detail = "") {
    void* h = freshHandle();
    track(h, detail.empty() ? kind_ : kind_ + " " + detail);
    *handle = static_cast<H>(h);
    return (objects_[h] = std::move(object)).get();
  }

  T* find(void* handle) const {
    auto it = objects_.find(handle);
    return it == objects_.end() ? nullptr : it->second.get();
  }

  bool remove(void* handle) {
    untrack(handle);
    return objects_.erase(handle) == 1;
  }

  void clear() {
    for (auto& object : objects_) untrack(object.first);
    objects_.clear();
  }

  auto begin() { return objects_.begin(); }
  auto end() { return objects_.end(); }

 private:
  std::string kind_;
  std::map<void*, std::unique_ptr<T>> objects_;
};

}  // namespace emu
