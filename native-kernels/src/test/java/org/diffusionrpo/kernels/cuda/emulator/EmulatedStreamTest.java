package org.diffusionrpo.kernels.cuda.emulator;

import static org.diffusionrpo.kernels.cuda.emulator.EmulatedDevice.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Deferred streams show what a program forgot to wait for. */
class EmulatedStreamTest {
  private static final int NON_BLOCKING = 1;
  private EmulatedDevice device;

  @BeforeEach void open() {
    device = EmulatedDevice.open();
    CudaEmulator.set(Knob.DEFERRED_STREAMS, "true");
  }

  @AfterEach void close() {
    if (device != null) {
      device.close();
    }
  }

  @Test void asynchronousCopyOfAHeapArrayIsAFault() {
    CUdeviceptr x = device.allocate(16);
    int code = JCudaDriver.cuMemcpyHtoDAsync(x, Pointer.to(new float[4]), 16, device.stream);
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, code);
    assertEquals("cuMemcpyHtoDAsync: asynchronous copy of host memory that is not pinned", CudaEmulator.lastFault());
  }

  @Test void pinnedMemoryIsReadWhenTheStreamRuns() {
    Pointer pinned = new Pointer();
    check(JCudaDriver.cuMemHostAlloc(pinned, 16, 0));
    FloatBuffer view = pinned.getByteBuffer(0, 16).order(ByteOrder.nativeOrder()).asFloatBuffer();
    CUdeviceptr x = device.allocate(16);
    view.put(0, 1f);
    check(JCudaDriver.cuMemcpyHtoDAsync(x, pinned, 16, device.stream));
    view.put(0, 2f); // too early: the copy has not run
    assertEquals(2f, device.floats(x, 1)[0]);
  }

  @Test void pinnedMemoryFreedTooEarlyIsAFault() {
    Pointer pinned = new Pointer();
    check(JCudaDriver.cuMemHostAlloc(pinned, 16, 0));
    check(JCudaDriver.cuMemcpyHtoDAsync(device.allocate(16), pinned, 16, device.stream));
    check(JCudaDriver.cuMemFreeHost(pinned));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, device.synchronise());
    assertEquals("cuMemcpyHtoDAsync: pinned memory was freed before the copy ran", CudaEmulator.lastFault());
  }

  @Test void blockingCopyDoesNotWaitForAStreamThatDoesNotBlock() {
    CUdeviceptr x = device.upload(1f);
    check(JCudaDriver.cuMemsetD32Async(x, Float.floatToIntBits(2f), 1, device.stream));
    float[] got = new float[1];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(got), x, 4));
    assertEquals(1f, got[0]); // stale, as it may be on a GPU
    assertEquals(2f, device.floats(x, 1)[0]);
  }

  @Test void blockingStreamsAreOrderedWithTheDefaultStream() {
    CUstream blocking = new CUstream();
    check(JCudaDriver.cuStreamCreate(blocking, 0));
    CUdeviceptr x = device.upload(1f);
    check(JCudaDriver.cuMemsetD32Async(x, Float.floatToIntBits(2f), 1, blocking));
    float[] got = new float[1];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(got), x, 4));
    assertEquals(2f, got[0]);
  }

  @Test void aStreamWaitsForTheRecordMadeBeforeTheWait() {
    CUstream other = new CUstream();
    CUevent event = new CUevent();
    check(JCudaDriver.cuStreamCreate(other, NON_BLOCKING));
    check(JCudaDriver.cuEventCreate(event, 0));
    CUdeviceptr x = device.upload(1f, 1f);
    check(JCudaDriver.cuMemsetD32Async(x, Float.floatToIntBits(2f), 1, device.stream));
    check(JCudaDriver.cuEventRecord(event, device.stream));
    check(JCudaDriver.cuStreamWaitEvent(other, event, 0));
    // What comes after the record is not waited for, although the event is recorded again.
    check(JCudaDriver.cuMemsetD32Async(x, Float.floatToIntBits(3f), 1, device.stream));
    check(JCudaDriver.cuEventRecord(event, device.stream));
    check(JCudaDriver.cuMemcpyDtoDAsync(x.withByteOffset(4), x, 4, other));
    check(JCudaDriver.cuStreamSynchronize(other));
    float[] got = new float[2];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(got), x, 8));
    assertArrayEquals(new float[] {2, 2}, got);
    assertArrayEquals(new float[] {3, 2}, device.floats(x, 2));
  }

  @Test void loopsOfQueriesEnd() {
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, 0));
    check(JCudaDriver.cuEventQuery(event));
    check(JCudaDriver.cuMemsetD32Async(device.allocate(4), 0, 1, device.stream));
    check(JCudaDriver.cuEventRecord(event, device.stream));
    assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuEventElapsedTime(new float[1], event, event));
    assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuStreamQuery(device.stream));
    assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuEventQuery(event));
    check(JCudaDriver.cuEventQuery(event));
    check(JCudaDriver.cuStreamQuery(device.stream));
    float[] ms = {-1};
    check(JCudaDriver.cuEventElapsedTime(ms, event, event));
    assertEquals(0f, ms[0]);
  }

  @Test void streamDestroyedWithPendingWorkIsAFault() {
    CUdeviceptr x = device.allocate(4);
    check(JCudaDriver.cuMemsetD32Async(x, 0, 1, device.stream));
    check(JCudaDriver.cuStreamDestroy(device.stream));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, JCudaDriver.cuCtxSynchronize());
    assertEquals("cuStreamDestroy: 1 operations have not run, the next is cuMemsetD32Async", CudaEmulator.lastFault());
  }

  @Test void eventDestroyedBeforeItIsReachedIsAFault() {
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, 0));
    check(JCudaDriver.cuEventRecord(event, device.stream));
    check(JCudaDriver.cuEventDestroy(event));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, device.synchronise());
    assertTrue(CudaEmulator.lastFault().startsWith("cuEventDestroy: "));
  }

  @Test void memoryFreedBeforeItsKernelRanIsAFault() {
    CUdeviceptr x = device.allocate(128);
    check(device.launch(device.kernel("faults.cu", "readOne"), 1, 1, 0, x, x));
    check(JCudaDriver.cuMemFree(x));
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, device.synchronise());
    assertTrue(CudaEmulator.lastFault().contains("of freed 128 bytes"), CudaEmulator::lastFault);
  }

  @Test void memoryFreedInStreamOrderIsFine() {
    CUdeviceptr x = new CUdeviceptr();
    check(JCudaDriver.cuMemAllocAsync(x, 128, device.stream));
    check(device.launch(device.kernel("faults.cu", "readOne"), 1, 1, 0, x, x));
    check(JCudaDriver.cuMemFreeAsync(x, device.stream));
    check(device.launch(device.kernel("faults.cu", "readOne"), 1, 1, 0, x, x)); // too late
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, device.synchronise());
    assertEquals(0, CudaEmulator.liveBytes());
  }

  @Test void capturedWorkRunsWhenTheGraphIsLaunched() {
    CUdeviceptr x = device.upload(1f, 2f), y = device.upload(0f, 0f);
    CUgraph graph = new CUgraph();
    CUgraphExec executable = new CUgraphExec();
    check(JCudaDriver.cuStreamBeginCapture(device.stream, 0));
    check(JCudaDriver.cuMemcpyDtoDAsync(y, x, 8, device.stream));
    check(device.launch(device.kernel("faults.cu", "readOne"), 1, 1, 0, x.withByteOffset(4), y));
    assertEquals(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, device.synchronise());
    assertEquals(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 4));
    check(JCudaDriver.cuStreamEndCapture(device.stream, graph));
    check(JCudaDriver.cuGraphInstantiate(executable, graph, 0));
    assertArrayEquals(new float[] {0, 0}, device.floats(y, 2));
    check(JCudaDriver.cuGraphLaunch(executable, device.stream));
    assertArrayEquals(new float[] {2, 2}, device.floats(y, 2));
    check(JCudaDriver.cuMemcpyHtoD(x, Pointer.to(new float[] {5, 6}), 8));
    check(JCudaDriver.cuGraphLaunch(executable, device.stream));
    assertArrayEquals(new float[] {6, 6}, device.floats(y, 2));
    check(JCudaDriver.cuGraphExecDestroy(executable));
    check(JCudaDriver.cuGraphDestroy(graph));
  }
}
