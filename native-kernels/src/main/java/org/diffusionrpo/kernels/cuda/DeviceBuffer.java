package org.diffusionrpo.kernels.cuda;

import jcuda.driver.CUdeviceptr;

/**
 * A piece of device memory. Closing gives it back to {@link DeviceMemory}, whose next taker may write to it only on the
 * compute stream: so a buffer may be closed while kernels that use it still wait in that stream.
 */
public final class DeviceBuffer implements AutoCloseable {
  private final CUdeviceptr pointer;
  private final long bytes;
  private DeviceMemory.Recycler recycler;

  DeviceBuffer(CUdeviceptr pointer, long bytes, DeviceMemory.Recycler recycler) {
    this.pointer = pointer;
    this.bytes = bytes;
    this.recycler = recycler;
  }

  CUdeviceptr pointer() {
    return pointer;
  }

  public long bytes() {
    return bytes;
  }

  /** The rest of this buffer from {@code byteOffset} on, which lives as long as this one and is not closed. */
  DeviceBuffer at(long byteOffset) {
    return new DeviceBuffer(pointer.withByteOffset(byteOffset), bytes - byteOffset, null);
  }

  @Override
  public void close() {
    if (recycler != null) {
      DeviceMemory.Recycler once = recycler;
      recycler = null;
      once.recycle(this);
    }
  }
}
