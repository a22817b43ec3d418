package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventQuery;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;

/**
 * The inputs of a step: fresh buffers that are filled on the copy stream while the compute stream is busy with the step
 * before. A slot is a device buffer, its page-locked twin on the host and an event. Three orders are kept:
 *
 * <pre>
 * copy waits for the kernels that last used the slot   event recorded when its buffer was closed
 * compute waits for the copy                           event recorded after the copy
 * the host waits before it fills the twin              the twin's own event
 * </pre>
 *
 * A few slots of each size take turns, so that the copy finds one whose last kernels are done.
 */
final class Uploads implements AutoCloseable {
  /** Larger arrays are rare; they are copied in pieces and keep no page-locked twin. */
  private static final long MAX_SLOT = 8 << 20;
  /** One is read by kernels, one is being filled, one is spare. */
  private static final int MAX_WAITING = 3;
  /** Slots that nobody uses may hold this much of the device and of the host. */
  private static final long MAX_IDLE = 64 << 20;

  private final DeviceMemory memory;
  private final CUstream compute;
  private final CUstream copy;
  private final boolean keep;
  private final Map<Long, Deque<Slot>> idle = new HashMap<>();
  private final Set<Slot> slots = new HashSet<>();
  private long idleBytes;
  private boolean closed;

  Uploads(DeviceMemory memory, CUstream compute, CUstream copy, boolean keep) {
    this.memory = memory;
    this.compute = compute;
    this.copy = copy;
    this.keep = keep;
  }

  DeviceBuffer of(float[] values) {
    long bytes = values.length * 4L;
    if (bytes > MAX_SLOT) {
      DeviceBuffer y = memory.take(bytes);
      try {
        memory.write(y, 0, values, values.length);
        return y;
      } catch (RuntimeException | Error e) {
        y.close();
        throw e;
      }
    }
    return of(bytes, piece -> piece.asFloatBuffer().put(values));
  }

  /** {@code fill} writes the values into host memory. */
  DeviceBuffer of(long bytes, Consumer<ByteBuffer> fill) {
    Slot slot = take(keep ? DeviceMemory.rounded(bytes) : Math.max(bytes, 1));
    try {
      fill.accept(slot.host.await());
      Status.driver("cuStreamWaitEvent", cuStreamWaitEvent(copy, slot.event, 0));
      Status.driver("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(slot.device.pointer(), slot.host.pointer(), bytes, copy));
      slot.host.usedBy(copy);
      Status.driver("cuEventRecord", cuEventRecord(slot.event, copy));
      Status.driver("cuStreamWaitEvent", cuStreamWaitEvent(compute, slot.event, 0));
      return new DeviceBuffer(slot.device.pointer(), slot.device.bytes(), buffer -> give(slot));
    } catch (RuntimeException | Error e) {
      slot.release();
      throw e;
    }
  }

  private Slot take(long bytes) {
    Deque<Slot> kept = idle.get(bytes);
    if (kept != null && !kept.isEmpty()
        && (kept.size() >= MAX_WAITING || cuEventQuery(kept.getFirst().event) == CUresult.CUDA_SUCCESS)) {
      idleBytes -= bytes;
      return kept.removeFirst();
    }
    Slot slot = new Slot(bytes);
    slots.add(slot);
    return slot;
  }

  private void give(Slot slot) {
    if (closed) {
      return;
    }
    // Buffers are closed where errors must not get in the way: without its event the slot is just not used again.
    if (keep && idleBytes + slot.bytes <= MAX_IDLE && cuEventRecord(slot.event, compute) == CUresult.CUDA_SUCCESS) {
      idle.computeIfAbsent(slot.bytes, key -> new ArrayDeque<>()).addLast(slot);
      idleBytes += slot.bytes;
    } else {
      slot.release();
    }
  }

  /** Of device memory; as much of the host's is page-locked. */
  long idleBytes() {
    return idleBytes;
  }

  void trim() {
    idle.values().forEach(kept -> kept.forEach(Slot::release));
    idle.clear();
    idleBytes = 0;
  }

  @Override
  public void close() {
    trim();
    closed = true;
    Set.copyOf(slots).forEach(Slot::release); // of buffers that nobody closed
  }

  private final class Slot {
    private final Resources resources = new Resources();
    private final long bytes;
    private final DeviceBuffer device;
    private final Pinned host;
    private final CUevent event = new CUevent();

    Slot(long bytes) {
      this.bytes = bytes;
      try {
        device = memory.take(bytes);
        resources.add(device::close);
        host = new Pinned(memory, bytes);
        resources.add(host::close);
        Status.driver("cuEventCreate", cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING));
        resources.add(() -> cuEventDestroy(event));
        Status.driver("cuEventRecord", cuEventRecord(event, compute)); // the block's last user may still run
      } catch (RuntimeException | Error e) {
        resources.close();
        throw e;
      }
    }

    void release() {
      slots.remove(this);
      resources.close();
    }
  }
}
