package org.diffusionrpo.tensor;

/**
 * Counted memory of one backend. Each {@link Tensor} handle is one owner; when the last one lets go, the backend may
 * use the memory again. Not thread-safe: a backend and all its tensors belong to one thread.
 */
public abstract class Buffer {
  private final Backend backend;
  private final int length;
  private final Storage storage;
  private int owners = 1;

  protected Buffer(Backend backend, int length, Storage storage) {
    this.backend = backend;
    this.length = length;
    this.storage = storage;
    backend.memory().allocated(bytes());
  }

  public final Backend backend() {
    return backend;
  }

  /** Number of elements. */
  public final int length() {
    return length;
  }

  public final Storage storage() {
    return storage;
  }

  public final long bytes() {
    return (long) length * storage.bytes();
  }

  final void retain() {
    owners++;
  }

  final void release() {
    if (--owners == 0) {
      backend.memory().released(bytes());
      recycle();
    }
  }

  /** Gives the memory back to the backend. Called once, when no tensor refers to it any more. */
  protected abstract void recycle();
}
