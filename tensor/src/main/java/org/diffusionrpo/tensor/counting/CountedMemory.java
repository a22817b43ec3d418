package org.diffusionrpo.tensor.counting;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Buffer;
import org.diffusionrpo.tensor.Storage;

/**
 * What the arrays of a run would take: those in use, and those that the CPU backend's pool keeps for the next request
 * of the same length. Scratch arrays of kernels, one for each purpose, only grow.
 */
final class CountedMemory {
  private final Map<Integer, Integer> free = new HashMap<>();
  private final long[] scratch = new long[Scratch.values().length];
  private long held;

  /** Large arrays that a kernel needs beside its operands; those of a few MiB are not counted. */
  enum Scratch { KEYS, QUERY_SHARES, RESULT, TILES_IN, TILES_OUT }

  Buffer buffer(Backend backend, int length, Storage storage) {
    return new Counted(backend, length, storage);
  }

  /** Floats that an operation needs for a purpose. */
  void need(Scratch purpose, long floats) {
    scratch[purpose.ordinal()] = Math.max(scratch[purpose.ordinal()], floats * Storage.F32.bytes());
  }

  /** Gives up the arrays that the pool keeps. */
  void trim() {
    free.forEach((length, arrays) -> held -= (long) length * arrays * Storage.F32.bytes());
    free.clear();
  }

  /** Bytes of all arrays that were made and not given up. */
  long held() {
    return held;
  }

  long scratch() {
    return Arrays.stream(scratch).sum();
  }

  private final class Counted extends Buffer {
    Counted(Backend backend, int length, Storage storage) {
      super(backend, length, storage);
      if (storage == Storage.F32 && free.getOrDefault(length, 0) > 0) {
        free.merge(length, -1, Integer::sum);
      } else {
        held += bytes();
      }
    }

    @Override
    protected void recycle() {
      if (storage() == Storage.F32) {
        free.merge(length(), 1, Integer::sum);
      } else {
        held -= bytes();
      }
    }
  }
}
