package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemHostAlloc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;

/**
 * Page-locked host memory, the only kind that asynchronous copies may use: the driver would keep the address of a Java
 * array, which the collector moves. The event says when the last copy is done with it.
 */
final class Pinned implements AutoCloseable {
  private final Pointer pointer = new Pointer();
  private final CUevent done = new CUevent();
  private final ByteBuffer bytes;
  private boolean pending;

  Pinned(DeviceMemory memory, long size) {
    memory.call(Status.Library.DRIVER, "cuMemHostAlloc", () -> cuMemHostAlloc(pointer, size, 0));
    int code = cuEventCreate(done, CUevent_flags.CU_EVENT_DISABLE_TIMING);
    if (code != 0) {
      cuMemFreeHost(pointer);
      throw Status.driverError("cuEventCreate", code);
    }
    bytes = pointer.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
  }

  Pointer pointer() {
    return pointer;
  }

  /** The memory, once the last copy is done with it. */
  ByteBuffer await() {
    if (pending) {
      pending = false;
      Status.driver("cuEventSynchronize", cuEventSynchronize(done));
    }
    return bytes.clear().order(ByteOrder.nativeOrder());
  }

  /** To be called after a copy was put into {@code stream}. */
  void usedBy(CUstream stream) {
    Status.driver("cuEventRecord", cuEventRecord(done, stream));
    pending = true;
  }

  @Override
  public void close() {
    if (pending) {
      cuEventSynchronize(done);
    }
    cuEventDestroy(done);
    cuMemFreeHost(pointer);
  }
}
