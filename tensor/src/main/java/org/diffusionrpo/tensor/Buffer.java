package org.diffusionrpo.tensor;

/**
 * Counted memory of one backend. Each {@link Tensor} handle is one owner; when the last one lets go, the backend may
 * use the memory again. Not thread-safe: a backend and all its tensors belong to one thread.
 */
public abstract class Buffer {
  private final Backend backend;
  private final int length;
  private final DType dtype;
  private int owners = 1;

  protected Buffer(Backend backend, int length, DType dtype) {
    this.backend = backend;
    this.length = length;
    this.dtype = dtype;
    backend.memory().allocated(bytes());
  }

  public final Backend backend() {
    return backend;
  }

  /** Number of elements. */
  public final int length() {
    return length;
  }

  public final DType dtype() {
    return dtype;
  }

  public final long bytes() {
    return (long) length * dtype.bytes();
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
