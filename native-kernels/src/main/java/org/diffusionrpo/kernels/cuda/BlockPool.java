package org.diffusionrpo.kernels.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ObjLongConsumer;
import jcuda.driver.CUdeviceptr;

/** Blocks of device memory that wait for the next request of their size. */
final class BlockPool {
  private final Map<Long, Deque<CUdeviceptr>> free = new HashMap<>();
  private long bytes;
  private boolean closed;

  /** A block of exactly this size; null when there is none. */
  CUdeviceptr poll(long size) {
    Deque<CUdeviceptr> blocks = free.get(size);
    if (blocks == null || blocks.isEmpty()) {
      return null;
    }
    bytes -= size;
    return blocks.pop();
  }

  void push(CUdeviceptr block, long size) {
    free.computeIfAbsent(size, key -> new ArrayDeque<>()).push(block);
    bytes += size;
  }

  /** Of all blocks in it. */
  long bytes() {
    return bytes;
  }

  /** Takes all blocks out. */
  void drain(ObjLongConsumer<CUdeviceptr> to) {
    Map<Long, Deque<CUdeviceptr>> all = Map.copyOf(free);
    free.clear();
    bytes = 0;
    all.forEach((size, blocks) -> blocks.forEach(block -> to.accept(block, size)));
  }

  /** Blocks in use shall not come back here. */
  void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }
}
