package org.diffusionrpo.tensor.cpu;

import java.lang.ref.SoftReference;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps released arrays by length for the next request of the same length. This avoids Java's zero fill and the
 * collector's work on huge arrays; a training step asks for the same lengths again and again. The references are soft:
 * before Java runs out of memory it takes what lies unused here, whoever asks.
 */
final class BufferPool {
  private final Map<Integer, Deque<SoftReference<float[]>>> free = new HashMap<>();
  private final boolean poison;

  /** @param poison fill returned arrays with NaN, so that a kernel that reads what it did not write is found */
  BufferPool(boolean poison) {
    this.poison = poison;
  }

  float[] take(int length) {
    Deque<SoftReference<float[]>> sameLength = free.get(length);
    while (sameLength != null && !sameLength.isEmpty()) {
      float[] array = sameLength.pop().get();
      if (array != null) {
        return array;
      }
    }
    float[] array = new float[length];
    if (poison) {
      Arrays.fill(array, Float.NaN);
    }
    return array;
  }

  void give(float[] array) {
    if (poison) {
      Arrays.fill(array, Float.NaN);
    }
    free.computeIfAbsent(array.length, length -> new ArrayDeque<>()).push(new SoftReference<>(array));
  }

  void clear() {
    free.clear();
  }
}
