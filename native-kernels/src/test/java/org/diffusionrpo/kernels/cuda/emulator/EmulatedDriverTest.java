package org.diffusionrpo.kernels.cuda.emulator;

import static org.diffusionrpo.kernels.cuda.emulator.EmulatedDevice.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmemorytype;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;
import jcuda.nvrtc.JNvrtc;
import jcuda.nvrtc.nvrtcProgram;
import jcuda.nvrtc.nvrtcResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The driver's answers, and the hand of a test on them. */
class EmulatedDriverTest {
  private EmulatedDevice device;

  @BeforeEach void open() {
    device = EmulatedDevice.open();
  }

  @AfterEach void close() {
    if (device != null) {
      device.close();
    }
  }

  @Test void orderedFailureHappensOnceAtTheNthCall() {
    CudaEmulator.fail("cuMemAlloc", 2, CUresult.CUDA_ERROR_OUT_OF_MEMORY);
    device.allocate(4);
    assertEquals(CUresult.CUDA_ERROR_OUT_OF_MEMORY, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 4));
    device.allocate(4);
    assertEquals(8, CudaEmulator.liveBytes());
  }

  @Test void orderedFaultBreaksTheContext() {
    CudaEmulator.fail("cuStreamSynchronize", 1, CUresult.CUDA_ERROR_LAUNCH_FAILED);
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, device.synchronise());
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 4));
    check(JCudaDriver.cuDevicePrimaryCtxRelease(new CUdevice()));
    check(JCudaDriver.cuDevicePrimaryCtxRetain(new CUcontext(), new CUdevice()));
    device.allocate(4);
  }

  @Test void lostDeviceStaysLost() {
    CudaEmulator.lose("cuMemcpyHtoD", 1, CUresult.CUDA_ERROR_UNKNOWN);
    CUdeviceptr x = device.allocate(4);
    assertEquals(CUresult.CUDA_ERROR_UNKNOWN, JCudaDriver.cuMemcpyHtoD(x, Pointer.to(new float[1]), 4));
    assertEquals(CUresult.CUDA_ERROR_UNKNOWN, JCudaDriver.cuMemFree(x));
    assertEquals(CUresult.CUDA_ERROR_UNKNOWN, JCudaDriver.cuDevicePrimaryCtxRelease(new CUdevice()));
    assertEquals(CUresult.CUDA_ERROR_UNKNOWN, JCudaDriver.cuInit(0));
  }

  @Test void callsAreCounted() {
    device.allocate(4);
    device.allocate(4);
    assertEquals(2, CudaEmulator.calls("cuMemAlloc"));
    assertEquals(1, CudaEmulator.calls("cuStreamCreate"));
    assertEquals(0, CudaEmulator.calls("cuMemFree"));
    assertEquals(CUresult.CUDA_ERROR_NOT_SUPPORTED, JCudaDriver.cuCtxGetLimit(new long[1], 0));
    assertEquals(1, CudaEmulator.calls("cuCtxGetLimit")); // not emulated, but counted
  }

  @Test void leaksAreListed() {
    device.allocate(12);
    check(JCudaDriver.cuMemHostAlloc(new Pointer(), 20, 0));
    check(JCudaDriver.cuEventCreate(new CUevent(), 0));
    device.kernel("good.cu", "silu");
    List<String> leaks = CudaEmulator.leaks();
    for (String text : List.of("primary context", "stream", "event", "module",
        "device memory of 12 bytes from cuMemAlloc", "pinned host memory of 20 bytes")) {
      assertTrue(leaks.contains(text), leaks::toString);
    }
    assertEquals(6, leaks.size(), leaks::toString);
  }

  @Test void staleHandlesAreRefused() {
    CUstream stream = new CUstream();
    check(JCudaDriver.cuStreamCreate(stream, 0));
    check(JCudaDriver.cuStreamDestroy(stream));
    assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, JCudaDriver.cuStreamSynchronize(stream));
    assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, JCudaDriver.cuStreamDestroy(stream));
    CUfunction kernel = device.kernel("good.cu", "silu");
    CudaEmulator.reset();
    assertEquals(CUresult.CUDA_ERROR_NOT_INITIALIZED, JCudaDriver.cuStreamSynchronize(device.stream));
    try (EmulatedDevice fresh = EmulatedDevice.open()) {
      assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, fresh.launch(kernel, 1, 1, 0));
    }
  }

  @Test void memoryIsLimited() {
    CudaEmulator.set(Knob.MEMORY_BYTES, "1000");
    CUdeviceptr x = device.allocate(600);
    assertEquals(CUresult.CUDA_ERROR_OUT_OF_MEMORY, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 600));
    long[] free = new long[1], total = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, total));
    assertArrayEquals(new long[] {400, 1000}, new long[] {free[0], total[0]});
    check(JCudaDriver.cuMemFree(x));
    device.allocate(600);
  }

  @Test void noDevice() {
    CudaEmulator.reset();
    CudaEmulator.set(Knob.DEVICE_COUNT, "0");
    assertEquals(CUresult.CUDA_ERROR_NO_DEVICE, JCudaDriver.cuInit(0));
    String[] text = new String[1];
    JCudaDriver.cuGetErrorString(CUresult.CUDA_ERROR_NO_DEVICE, text);
    assertEquals("no CUDA-capable device is detected", text[0]);
  }

  @Test void attributesFollowTheComputeCapability() {
    CUfunction small = device.kernel("faults.cu", "readOne"), large = device.kernel("faults.cu", "largeShared");
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "8.6");
    assertEquals(8, attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
    assertEquals(6, attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
    assertEquals(99 << 10, attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.5");
    assertEquals(64 << 10, attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    int[] blocks = new int[1];
    check(JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, small, 256, 0));
    assertEquals(4, blocks[0]); // 1024 threads
    check(JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, large, 32, 0));
    assertEquals(1, blocks[0]); // 40000 of 65536 bytes
  }

  private static int attribute(int which) {
    int[] value = new int[1];
    check(JCudaDriver.cuDeviceGetAttribute(value, which, new CUdevice()));
    return value[0];
  }

  @Test void copyOfAPartOfAMatrix() {
    CUdeviceptr x = device.upload(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11); // 3 rows of 4
    float[] host = new float[4];
    CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = x;
    copy.srcPitch = 16;
    copy.srcXInBytes = 4;
    copy.srcY = 1;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstHost = Pointer.to(host);
    copy.dstPitch = 8;
    copy.WidthInBytes = 8;
    copy.Height = 2;
    check(JCudaDriver.cuMemcpy2D(copy));
    assertArrayEquals(new float[] {5, 6, 9, 10}, host);
    copy.Height = 3;
    assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemcpy2D(copy));
  }

  // ---- modules ----

  @Test void ptxForANewerDriverOrDeviceIsRefused() {
    assertEquals(CUresult.CUDA_SUCCESS, load(ptx("8.5", 80)));
    assertEquals(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load(ptx("8.7", 80)));
    assertEquals(CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, load(ptx("8.5", 90)));
    assertEquals(CUresult.CUDA_ERROR_INVALID_PTX, load("not PTX at all"));
    CudaEmulator.set(Knob.DRIVER_VERSION, "12080");
    assertEquals(CUresult.CUDA_SUCCESS, load(ptx("8.7", 80)));
    CudaEmulator.set(Knob.DRIVER_VERSION, "12000");
    assertEquals(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load(ptx("8.5", 80)));
    assertTrue(CudaEmulator.lastFault().contains("Unsupported .version 8.5; current version is '8.0'"));
  }

  /** Kernels of the project: real PTX cannot run here, the source compiled by the build does in its place. */
  @Test void ptxStandsForTheSourceOfItsKernels() {
    String head = ".version 6.3\n.target sm_75\n.address_size 64\n", fill = ".visible .entry fill(\n";
    CUmodule module = new CUmodule();
    CUfunction kernel = new CUfunction();
    check(JCudaDriver.cuModuleLoadData(module, head + fill
        + ".param .u64 .ptr .align 1 fill_param_0,\n.param .f32 fill_param_1,\n.param .u64 fill_param_2\n)\n{ret;}"));
    check(JCudaDriver.cuModuleGetFunction(kernel, module, "fill"));
    CUdeviceptr y = device.allocate(40);
    check(device.launch(kernel, 1, 32, 0, y, 7f, 9L));
    float[] got = device.floats(y, 10);
    assertEquals(7f, got[8]);
    assertTrue(Float.isNaN(got[9]));
    String stale = head + fill + ".param .u64 fill_param_0,\n.param .f32 fill_param_1\n)\n{ret;}";
    assertEquals(CUresult.CUDA_ERROR_INVALID_PTX, load(stale));
    assertTrue(CudaEmulator.lastFault().contains("parameters of PTX entry fill differ"), CudaEmulator::lastFault);
  }

  @Test void refusalOfPtxIsLogged() {
    JITOptions options = new JITOptions();
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 1000);
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[1000]);
    int code = JCudaDriver.cuModuleLoadDataJIT(new CUmodule(), Pointer.to((ptx("9.0", 75) + "\0").getBytes()), options);
    assertEquals(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, code);
    assertTrue(options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER).contains("Unsupported .version 9.0"));
  }

  @Test void cubinForAnotherDeviceIsRefused() {
    CUmodule module = new CUmodule();
    byte[] cubin = EmulatedDevice.cubin(EmulatedDevice.source("good.cu"));
    for (String good : List.of("8.0", "8.9")) {
      CudaEmulator.set(Knob.COMPUTE_CAPABILITY, good);
      check(JCudaDriver.cuModuleLoadData(module, cubin));
    }
    for (String bad : List.of("7.5", "9.0")) {
      CudaEmulator.set(Knob.COMPUTE_CAPABILITY, bad);
      assertEquals(CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, JCudaDriver.cuModuleLoadData(module, cubin));
    }
    check(JCudaDriver.cuModuleUnload(module));
    assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, JCudaDriver.cuModuleUnload(module));
  }

  @Test void unknownKernelsAreNotFound() {
    CUmodule module = new CUmodule();
    check(JCudaDriver.cuModuleLoadData(module, EmulatedDevice.cubin(EmulatedDevice.source("good.cu"))));
    CUfunction function = new CUfunction();
    assertEquals(CUresult.CUDA_ERROR_NOT_FOUND, JCudaDriver.cuModuleGetFunction(function, module, "nothing"));
  }

  @Test void ptxOfTheEmulatedCompilerRuns() {
    String[] ptx = new String[1];
    nvrtcProgram program = compile(EmulatedDevice.source("good.cu"), 0, "--gpu-architecture=compute_75");
    assertEquals(0, JNvrtc.nvrtcGetPTX(program, ptx));
    assertEquals(0, JNvrtc.nvrtcDestroyProgram(program));
    assertTrue(ptx[0].contains(".target sm_75"));
    assertTrue(ptx[0].contains(".visible .entry silu(\n\t.param .u64 silu_param_0,\n\t.param .u64 silu_param_1,\n"
        + "\t.param .u64 silu_param_2\n)"));
    CUmodule module = new CUmodule();
    CUfunction kernel = new CUfunction();
    check(JCudaDriver.cuModuleLoadData(module, ptx[0]));
    check(JCudaDriver.cuModuleGetFunction(kernel, module, "warpSums"));
    CUdeviceptr y = device.allocate(128);
    check(device.launch(kernel, 1, 32, 0, device.upload(new float[32]), y));
    assertEquals(0f, device.floats(y, 32)[7]);
  }

  // ---- NVRTC ----

  @Test void compilationErrorsAreLogged() {
    String wrong = "extern \"C\" __global__ void k(float* x) {\n  x[0] = y;\n}";
    nvrtcProgram program = compile(wrong, nvrtcResult.NVRTC_ERROR_COMPILATION, "--gpu-architecture=sm_80");
    assertTrue(log(program).contains("test.cu:2:"), log(program));
    compile("#include <cuda_fp16.h>\n", nvrtcResult.NVRTC_ERROR_COMPILATION, "--gpu-architecture=sm_80");
  }

  @Test void optionsAreChecked() {
    compile("", nvrtcResult.NVRTC_ERROR_INVALID_OPTION, "--gpu-architecture=sm_120");
    compile("", nvrtcResult.NVRTC_ERROR_INVALID_OPTION, "--no-such-option");
    CudaEmulator.set(Knob.NVRTC_ARCHITECTURES, "80,120");
    int[] count = new int[1], all = new int[2];
    assertEquals(0, JNvrtc.nvrtcGetNumSupportedArchs(count));
    assertEquals(0, JNvrtc.nvrtcGetSupportedArchs(all));
    assertArrayEquals(new int[] {2, 80, 120}, new int[] {count[0], all[0], all[1]});
    compile("", 0, "--gpu-architecture=sm_120", "--std=c++17", "-DN=4");
  }

  @Test void compilerWithoutItsBuiltins() {
    CudaEmulator.set(Knob.NVRTC_BROKEN, "true");
    compile("", nvrtcResult.NVRTC_ERROR_BUILTIN_OPERATION_FAILURE, "--gpu-architecture=sm_80");
  }

  private static nvrtcProgram compile(String source, int expected, String... options) {
    nvrtcProgram program = new nvrtcProgram();
    assertEquals(0, JNvrtc.nvrtcCreateProgram(program, source, "test.cu", 0, null, null));
    assertEquals(expected, JNvrtc.nvrtcCompileProgram(program, options.length, options), () -> log(program));
    return program;
  }

  private static String log(nvrtcProgram program) {
    String[] log = new String[1];
    JNvrtc.nvrtcGetProgramLog(program, log);
    return log[0];
  }

  private static String ptx(String isa, int target) {
    return ".version " + isa + "\n.target sm_" + target
        + "\n.address_size 64\n.visible .entry nothing(\n)\n{\nret;\n}\n";
  }

  private static int load(String ptx) {
    return JCudaDriver.cuModuleLoadData(new CUmodule(), ptx);
  }
}
