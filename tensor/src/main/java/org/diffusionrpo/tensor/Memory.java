package org.diffusionrpo.tensor;

import java.util.ArrayDeque;
import java.util.Deque;

/** The open scopes of one backend and its count of bytes in use. */
public final class Memory {
  private final Deque<MemoryScope> scopes = new ArrayDeque<>();
  private long liveBytes;
  private long peakBytes;

  /** Opens a scope inside the current one. */
  public MemoryScope open() {
    MemoryScope scope = new MemoryScope(this, scopes.peek());
    scopes.push(scope);
    return scope;
  }

  /** Bytes of all buffers that some tensor owns. */
  public long liveBytes() {
    return liveBytes;
  }

  /** The largest {@link #liveBytes} since the start or the last {@link #resetPeak}. */
  public long peakBytes() {
    return peakBytes;
  }

  public void resetPeak() {
    peakBytes = liveBytes;
  }

  void allocated(long bytes) {
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
  }

  void released(long bytes) {
    liveBytes -= bytes;
  }

  void adopt(Tensor tensor) {
    MemoryScope innermost = scopes.peek();
    if (innermost != null) {
      innermost.own(tensor);
    }
  }

  void closed(MemoryScope scope) {
    if (scopes.peek() != scope) {
      throw new IllegalStateException("memory scopes must close in the reverse order of opening");
    }
    scopes.pop();
  }
}
