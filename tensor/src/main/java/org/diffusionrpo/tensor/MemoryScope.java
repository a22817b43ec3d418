package org.diffusionrpo.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * Owns the tensors that are created while it is the innermost scope, and releases them when it closes.
 * <pre>{@code
 *   try (MemoryScope scope = backend.scope()) {
 *     Tensor h = norm.forward(x, tape);
 *     return scope.keep(conv.forward(h, tape));    // the result moves to the scope around this one
 *   }
 * }</pre>
 */
public final class MemoryScope implements AutoCloseable {
  private final Memory memory;
  private final MemoryScope parent;
  private final List<Tensor> owned = new ArrayList<>();

  MemoryScope(Memory memory, MemoryScope parent) {
    this.memory = memory;
    this.parent = parent;
  }

  /** Moves a tensor of this scope to the scope around it, or, in the outermost, to the caller. Others stay put. */
  public Tensor keep(Tensor tensor) {
    if (tensor.scope() == this) {
      tensor.moveTo(null);
      if (parent != null) {
        parent.own(tensor);
      }
    }
    return tensor;
  }

  void own(Tensor tensor) {
    tensor.moveTo(this);
    owned.add(tensor);
  }

  @Override
  public void close() {
    memory.closed(this);
    for (Tensor tensor : owned) {
      if (tensor.scope() == this) {
        tensor.close();
      }
    }
    owned.clear();
  }
}
