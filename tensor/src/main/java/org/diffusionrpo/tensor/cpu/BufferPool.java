package org.diffusionrpo.tensor.cpu;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps released arrays by length for the next request of the same length. This avoids Java's zero fill and the
 * collector's work on huge arrays; a training step asks for the same lengths again and again.
 */
final class BufferPool {
  private final Map<Integer, Deque<float[]>> free = new HashMap<>();
  private final boolean poison;

  /** @param poison fill returned arrays with NaN, so that a kernel that reads what it did not write is found */
  BufferPool(boolean poison) {
    this.poison = poison;
  }

  float[] take(int length) {
    Deque<float[]> sameLength = free.get(length);
    if (sameLength != null && !sameLength.isEmpty()) {
      return sameLength.pop();
    }
    try {
      return fresh(length);
    } catch (OutOfMemoryError e) {
      free.clear(); // arrays of other lengths may be all that is in the way
      return fresh(length);
    }
  }

  void give(float[] array) {
    if (poison) {
      Arrays.fill(array, Float.NaN);
    }
    free.computeIfAbsent(array.length, length -> new ArrayDeque<>()).push(array);
  }

  void clear() {
    free.clear();
  }

  private float[] fresh(int length) {
    float[] array = new float[length];
    if (poison) {
      Arrays.fill(array, Float.NaN);
    }
    return array;
  }
}
