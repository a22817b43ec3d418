package org.diffusionrpo.kernels.cuda.emulator;

import static org.diffusionrpo.kernels.cuda.emulator.EmulatedDevice.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.regex.Pattern;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each fault of {@code faults.cu} is found and named. */
class EmulatedFaultTest {
  private EmulatedDevice device;

  @BeforeEach void open() {
    device = EmulatedDevice.open();
  }

  @AfterEach void close() {
    if (device != null) {
      device.close();
    }
  }

  @Test void writePastTheEnd() {
    CUdeviceptr x = device.allocate(64 * 4);
    expect("ILLEGAL_ADDRESS",
        "kernel pastTheEnd block \\(1,0,0\\) thread \\(0,0,0\\): invalid global write of 4 bytes at .*, "
        + "0 bytes past the end of 256 bytes", "pastTheEnd", 2, 64, 0, x, 64);
  }

  @Test void readBeforeTheStart() {
    expect("ILLEGAL_ADDRESS", ".*invalid global read of 4 bytes at .*, before the first allocation", "beforeTheStart",
        1, 32, 0, device.allocate(256));
  }

  @Test void useAfterFree() {
    CUdeviceptr x = device.allocate(1000), y = device.allocate(4);
    check(JCudaDriver.cuMemFree(x));
    expect("ILLEGAL_ADDRESS", "kernel readOne .*invalid global read .*at byte 0 of freed 1000 bytes", "readOne", 1, 1,
        0, x, y);
  }

  @Test void hostPointer() {
    Pointer host = new Pointer();
    check(JCudaDriver.cuMemAllocHost(host, 64));
    expect("ILLEGAL_ADDRESS", "launch of readOne: parameter 0 is a pointer, but not to device memory", "readOne", 1, 1,
        0, host, device.allocate(4));
  }

  @Test void nullPointer() {
    expect("ILLEGAL_ADDRESS", "kernel readOne .*invalid read of 4 bytes at \\(nil\\), not a device address", "readOne",
        1, 1, 0, new CUdeviceptr(), device.allocate(4));
  }

  @Test void misalignedVector() {
    CUdeviceptr x = device.upload(new float[64]), y = device.allocate(128);
    expect("MISALIGNED_ADDRESS",
        "kernel unalignedVector .*thread \\(1,0,0\\): misaligned access .*float4.* in line \\d+ .*"
        + "no multiple of 16, at byte 4 of 256 bytes", "unalignedVector", 1, 32, 0, x, y);
  }

  @Test void misalignedAtomic() {
    expect("MISALIGNED_ADDRESS", ".*misaligned atomic of 4 bytes.*", "unalignedAtomic", 1, 1, 0, device.allocate(64));
  }

  @Test void sharedArrayIndex() {
    expect("ILLEGAL_ADDRESS",
        "kernel sharedArray .*thread \\(31,0,0\\): index 32 out of bounds for 'float \\[32\\]' .*", "sharedArray", 1,
        32, 0, device.allocate(128), 1);
  }

  @Test void dynamicSharedSize() {
    CUdeviceptr y = device.allocate(128);
    expect("ILLEGAL_ADDRESS",
        "kernel dynamicShared .*thread \\(16,0,0\\): write of 4 bytes at byte 128 of dynamic shared memory, "
        + "the launch gave it 128", "dynamicShared", 1, 32, 128, y, 2);
  }

  @Test void localArrayIndex() {
    expect("ILLEGAL_ADDRESS", ".*index 4 out of bounds for 'float \\[4\\]' .*", "localArray", 1, 1, 0,
        device.allocate(4), 4);
  }

  @Test void barrierDivergence() {
    expect("LAUNCH_FAILED",
        "kernel divergent block \\(0,0,0\\): barrier divergence: 57 of 64 threads wait at __syncthreads, "
        + "0 at a warp operation, 7 exited", "divergent", 1, 64, 0, device.allocate(256));
  }

  @Test void barriersOfDifferentLines() {
    expect("LAUNCH_FAILED", ".*barrier divergence: threads wait at __syncthreads in lines \\d+ and \\d+", "twoBarriers",
        1, 64, 0, device.allocate(256));
  }

  @Test void warpMaskWithoutTheCaller() {
    expect("LAUNCH_FAILED", ".*thread \\(16,0,0\\): a shuffle: mask 0000ffff lacks the calling lane 16",
        "maskLacksCaller", 1, 32, 0, device.allocate(128));
  }

  @Test void warpMasksThatDiffer() {
    expect("LAUNCH_FAILED", ".*a shuffle with mask .* meets a shuffle with mask .*", "masksDiffer", 1, 32, 0,
        device.allocate(128));
  }

  @Test void shuffleFromOutsideTheMask() {
    expect("LAUNCH_FAILED", ".*a shuffle reads lane 20, which mask 0000ffff lacks", "laneOutsideMask", 1, 32, 0,
        device.allocate(128));
  }

  @Test void shuffleWithLanesThatExited() {
    expect("LAUNCH_FAILED", ".*barrier divergence: 0 of 32 threads wait at __syncthreads, 24 at a shuffle, 8 exited",
        "exitedLanes", 1, 32, 0, device.allocate(128));
  }

  @Test void divisionByZero() {
    expect("LAUNCH_FAILED", ".*division by zero in line \\d+", "divideByZero", 1, 1, 0, device.allocate(4), 0);
  }

  @Test void trap() {
    expect("ILLEGAL_INSTRUCTION", ".*__trap", "trapped", 1, 1, 0, device.upload(0f));
  }

  @Test void sharedRace() {
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    expect("LAUNCH_FAILED",
        "kernel sharedRace .*shared race: write at .*, read by thread \\d+ since the last barrier.*", "sharedRace", 1,
        64, 0, device.upload(new float[64]), device.allocate(256));
  }

  @Test void sharedWriteAfterReadOfAnother() {
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    expect("LAUNCH_FAILED", "kernel sharedWriteAfterRead .*shared race: .*", "sharedWriteAfterRead", 1, 64, 0,
        device.upload(new float[64]), device.allocate(256));
  }

  @ParameterizedTest @ValueSource(strings = {"blocksWriteOneWord", "blockReadsAnother"})
  void globalRaceOfBlocks(String kernel) {
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    expect("LAUNCH_FAILED", "kernel " + kernel
        + " .*global race: .* by another block of this launch, at byte \\d+ of 256 bytes", kernel, 2, 1, 0,
        device.allocate(256));
  }

  @Test void globalRaceOfThreads() {
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    expect("LAUNCH_FAILED", ".*global race: .* since the last barrier, .*", "threadsShareGlobal", 1, 64, 0,
        device.allocate(512));
  }

  @Test void orderedAccessesAreNoRace() {
    CudaEmulator.set(Knob.RACE_CHECK, "true");
    CUdeviceptr x = device.upload(new float[64]), y = device.allocate(256), h = device.allocate(128);
    for (int repeat = 0; repeat < 2; repeat++) {
      check(device.launch(device.kernel("faults.cu", "noRace"), 1, 64, 0, x, y, h));
    }
    check(device.synchronise());
  }

  @ParameterizedTest @ValueSource(strings = {"forward", "reverse", "shuffled"})
  void unwrittenMemoryIsNotANumber(String order) {
    CudaEmulator.set(Knob.THREAD_ORDER, order);
    CUdeviceptr x = device.allocate(128), y = device.allocate(3 * 128);
    check(device.launch(device.kernel("faults.cu", "uninitialised"), 1, 32, 128, x, y));
    for (float value : device.floats(y, 96)) {
      assertTrue(Float.isNaN(value));
    }
  }

  @Test void limitsOfALaunch() {
    CUdeviceptr y = device.allocate(4096);
    refuse("launch of bounded: 256 threads in a block, but __launch_bounds__\\(128\\)", "bounded", 1, 256, 0, y);
    refuse("launch of readOne: 2048 threads in a block", "readOne", 1, 2048, 0, y, y);
    refuse("launch of readOne: an empty grid or block", "readOne", 0, 32, 0, y, y);
    refuse("launch of dynamicShared: 60000 bytes of dynamic shared memory, the function allows 49152", "dynamicShared",
        1, 32, 60000, y, 1);
    refuse("launch of largeShared: 16384 bytes of dynamic shared memory, the function allows 9152", "largeShared", 1,
        32, 16384, y);
    refuse("launch of readOne: parameter 1 is missing", "readOne", 1, 1, 0, y, null);
    check(device.synchronise());
  }

  @Test void dynamicSharedMemoryCanBeRaised() {
    var kernel = device.kernel("faults.cu", "dynamicShared");
    check(JCudaDriver.cuFuncSetAttribute(kernel, 8, 90_000));
    check(device.launch(kernel, 1, 32, 90_000, device.allocate(128), 700));
    check(device.synchronise());
    assertEquals("CUDA_ERROR_INVALID_VALUE", CUresult.stringFor(JCudaDriver.cuFuncSetAttribute(kernel, 8, 200_000)));
  }

  @Test void aFaultBreaksTheContextUntilItIsGone() {
    CUdeviceptr x = device.allocate(256);
    check(device.launch(device.kernel("faults.cu", "pastTheEnd"), 2, 64, 0, x, 64));
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, device.synchronise());
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, JCudaDriver.cuMemFree(x));
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 4));
    check(JCudaDriver.cuDevicePrimaryCtxRelease(new jcuda.driver.CUdevice()));
    assertTrue(CudaEmulator.leaks().isEmpty(), () -> CudaEmulator.leaks().toString());
    assertEquals(0, CudaEmulator.liveBytes());
  }

  @Test void copiesOutOfBounds() {
    CUdeviceptr x = device.allocate(100);
    float[] host = new float[100];
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemcpyHtoD(x, Pointer.to(host), 104));
    matches("cuMemcpyHtoD: 104 bytes are not inside one allocation, they start at byte 0 of 100 bytes");
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemcpyDtoH(Pointer.to(host), x.withByteOffset(96),
        8));
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemsetD32Async(x, 0, 26, device.stream));
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemsetD32(x.withByteOffset(2), 0, 1));
    check(device.synchronise());
  }

  @Test void doubleFree() {
    CUdeviceptr x = device.allocate(100);
    check(JCudaDriver.cuMemFree(x));
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemFree(x));
    matches("cuMemFree: not the start of a live allocation, but at byte 0 of freed 100 bytes");
  }

  private void expect(String code, String text, String kernel, int blocks, int threads, int shared,
      Object... arguments) {
    check(device.launch(device.kernel("faults.cu", kernel), blocks, threads, shared, arguments));
    assertEquals("CUDA_ERROR_" + code, CUresult.stringFor(device.synchronise()), CudaEmulator::lastFault);
    matches(text);
  }

  private void refuse(String text, String kernel, int blocks, int threads, int shared, Object... arguments) {
    int code = device.launch(device.kernel("faults.cu", kernel), blocks, threads, shared, arguments);
    assertEquals("CUDA_ERROR_INVALID_VALUE", CUresult.stringFor(code));
    matches(text);
  }

  private static void matches(String text) {
    assertTrue(Pattern.matches(text, CudaEmulator.lastFault()), CudaEmulator::lastFault);
  }
}
