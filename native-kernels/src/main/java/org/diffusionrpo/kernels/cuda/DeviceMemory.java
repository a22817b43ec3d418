package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;

/**
 * Pooled memory of one device. All work runs on one compute stream, in order, so a block that is given back can be
 * handed out again at once: its new user's kernels start after those of the old one. The copy stream is the exception,
 * see {@link Uploads}. While work is recorded for repetition, its blocks come from and go back to a pool of its own, see
 * {@link CudaGraph}.
 */
public final class DeviceMemory implements AutoCloseable {
  /** cuMemAlloc's alignment, and the step of sizes below {@link #LARGE}. */
  private static final long SMALL_STEP = 512;

  private static final long LARGE = 1 << 20;

  private static final long LARGE_STEP = 1 << 17;

  private final CUstream compute;
  private final CUstream copy;
  private final boolean poison;
  private final Transfers transfers;
  private final Uploads uploads;
  private final BlockPool kept = new BlockPool();
  /** Every block that the driver gave, with its size. */
  private final Map<CUdeviceptr, Long> blocks = new HashMap<>();
  private long reserved;
  /** The pool of the recording that runs; null when none does. */
  private BlockPool recording;
  private boolean capturing;

  /** What a closed buffer does with its memory. */
  interface Recycler {
    void recycle(DeviceBuffer buffer);
  }

  DeviceMemory(CUstream compute, CUstream copy, boolean poison) {
    this.compute = compute;
    this.copy = copy;
    this.poison = poison;
    this.transfers = new Transfers(this, compute);
    this.uploads = new Uploads(this, compute, copy, !poison);
  }

  /**
   * At least {@code bytes} bytes with undefined contents.
   *
   * @throws DeviceOutOfMemoryError when the device has no more, after the pool gave up all that it kept
   */
  public DeviceBuffer take(long bytes) {
    long size = poison ? Math.max(bytes, 1) : rounded(bytes);
    BlockPool home = recording == null ? kept : recording;
    CUdeviceptr pointer = home.poll(size);
    if (pointer == null) {
      pointer = kept.poll(size);
    }
    if (pointer == null) {
      pointer = allocate(size);
    }
    if (poison) {
      Status.driver("cuMemsetD8Async", cuMemsetD8Async(pointer, (byte) 0xFF, size, compute));
    }
    return new DeviceBuffer(pointer, size, buffer -> give(buffer.pointer(), buffer.bytes(), home));
  }

  private void give(CUdeviceptr pointer, long size, BlockPool home) {
    if (!blocks.containsKey(pointer)) {
      return; // the device was closed before this buffer
    }
    if (home != kept && !home.isClosed()) {
      home.push(pointer, size);
    } else if (poison) {
      release(pointer);
    } else {
      kept.push(pointer, size);
    }
  }

  private CUdeviceptr allocate(long size) {
    CUdeviceptr pointer = new CUdeviceptr();
    call(Status.Library.DRIVER, "cuMemAlloc of " + mib(size), () -> cuMemAlloc(pointer, size));
    blocks.put(pointer, size);
    reserved += size;
    return pointer;
  }

  /**
   * Makes a call that takes memory of its own. When there is none, the pool gives up what it keeps, and the call is made
   * again.
   */
  void call(Status.Library library, String name, IntSupplier call) {
    Status.check(library, name, codeOf(library, name, call));
  }

  /** The same for calls whose other codes are looked at by the caller. */
  int codeOf(Status.Library library, String name, IntSupplier call) {
    int code = call.getAsInt();
    if (Status.isOutOfMemory(library, code)) {
      trim();
      code = call.getAsInt();
    }
    if (Status.isOutOfMemory(library, code)) {
      throw new DeviceOutOfMemoryError(name + " failed: out of memory (" + code + "), " + state());
    }
    return code;
  }

  /** Best effort: after a lost device every call fails, and the first failure was reported. */
  private void release(CUdeviceptr pointer) {
    cuMemFree(pointer);
    reserved -= blocks.remove(pointer);
  }

  private String state() {
    long[] available = new long[1];
    long[] total = new long[1];
    String device = cuMemGetInfo(available, total) == CUresult.CUDA_SUCCESS
        ? ", the device has " + mib(total[0]) + " and " + mib(available[0]) + " free" : "";
    return mib(inUseBytes()) + " are in use here" + device;
  }

  private static String mib(long bytes) {
    return String.format("%,d MiB", (bytes + (1 << 20) - 1) >> 20);
  }

  static long rounded(long bytes) {
    long step = bytes < LARGE ? SMALL_STEP : LARGE_STEP;
    return (Math.max(bytes, 1) + step - 1) / step * step;
  }

  /** Bytes of the buffers that somebody holds. */
  public long inUseBytes() {
    return reserved - kept.bytes() - uploads.idleBytes();
  }

  /** Gives all memory that is kept back to the driver. */
  public void trim() {
    if (!capturing) { // a stream that is being captured cannot be waited for; nothing was pending when that began
      cuStreamSynchronize(compute); // the driver need not wait for kernels that still use what is freed
      cuStreamSynchronize(copy);
    }
    uploads.trim();
    kept.drain((block, size) -> release(block));
  }

  // ---- recordings ----

  /**
   * Runs work that will be repeated at the same addresses: all that it takes comes from, and goes back to, the pool.
   *
   * @param captured the compute stream keeps the work instead of doing it, and was idle before
   */
  void record(BlockPool pool, boolean captured, Runnable work) {
    recording = pool;
    capturing = captured;
    try {
      work.run();
    } finally {
      recording = null;
      capturing = false;
    }
  }

  /** The blocks of work that is not repeated any more are for everyone again, those in use when they are closed. */
  void endRecording(BlockPool pool) {
    pool.close();
    pool.drain((block, size) -> give(block, size, pool));
  }

  /** @throws IllegalStateException while a recording runs */
  void refuseWhileRecording(String operation) {
    if (recording != null) {
      throw new IllegalStateException(operation + " inside a recording: only work of the device itself can be repeated;"
          + " write its inputs before, and read its results after it");
    }
  }

  // ---- host and device ----

  /** A fresh buffer with these values. */
  DeviceBuffer upload(int[] values) {
    refuseWhileRecording("an upload");
    return uploads.of(values.length * 4L, piece -> piece.asIntBuffer().put(values));
  }

  /** A fresh buffer with these values, copied on the copy stream, while the compute stream works. */
  public DeviceBuffer upload(float[] values) {
    refuseWhileRecording("an upload");
    return uploads.of(values);
  }

  /** Overwrites part of a buffer, in the order of the compute stream. */
  public void write(DeviceBuffer y, long byteOffset, float[] values, int count) {
    refuseWhileRecording("a write from the host");
    transfers.write(y, byteOffset, values, count);
  }

  /** The same for the bits of half floats. */
  public void write(DeviceBuffer y, long byteOffset, short[] values, int count) {
    refuseWhileRecording("a write from the host");
    transfers.write(y, byteOffset, values, count);
  }

  /** Waits for the compute stream and copies to the host. */
  public void read(float[] out, DeviceBuffer x) {
    refuseWhileRecording("reading back");
    transfers.read(out, x);
  }

  /** The same for the bits of half floats. */
  public void read(short[] out, DeviceBuffer x) {
    refuseWhileRecording("reading back");
    transfers.read(out, x);
  }

  /** The same for sums in double. */
  public void read(double[] out, DeviceBuffer x) {
    refuseWhileRecording("reading back");
    transfers.read(out, x);
  }

  /** The first {@code bytes} of x to y, in the order of the compute stream. */
  public void copy(DeviceBuffer y, DeviceBuffer x, long bytes) {
    Status.driver("cuMemcpyDtoDAsync", cuMemcpyDtoDAsync(y.pointer(), x.pointer(), bytes, compute));
  }

  @Override
  public void close() {
    transfers.close();
    uploads.close();
    trim();
    List.copyOf(blocks.keySet()).forEach(this::release); // of buffers that nobody closed
  }
}
