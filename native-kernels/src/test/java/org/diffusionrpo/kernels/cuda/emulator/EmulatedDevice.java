package org.diffusionrpo.kernels.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;
import jcuda.nvrtc.nvrtcProgram;

/** The emulated device under plain JCuda, for the tests of the emulator itself. Calls check codes by themselves. */
final class EmulatedDevice implements AutoCloseable {
  final CUstream stream = new CUstream();
  private final CUcontext context = new CUcontext();
  private final Map<String, CUmodule> modules = new HashMap<>();

  private EmulatedDevice() {
    check(JCudaDriver.cuInit(0));
    CUdevice device = new CUdevice();
    check(JCudaDriver.cuDeviceGet(device, 0));
    check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    check(JCudaDriver.cuCtxSetCurrent(context));
    check(JCudaDriver.cuStreamCreate(stream, 1));
  }

  /** A fresh device; the test is skipped where the emulator is missing. */
  static EmulatedDevice open() {
    load();
    CudaEmulator.reset();
    return new EmulatedDevice();
  }

  /** Loads the emulated libraries before JCuda asks for them. */
  static void load() {
    assumeTrue(CudaEmulator.missing() == null, CudaEmulator.missing());
    for (String library : CudaEmulator.LIBRARIES) {
      System.load(CudaEmulator.libraries().resolve(library).toString());
    }
    Natives.unpack();
  }

  /** JCuda unpacks its natives into java.io.tmpdir, which other processes use too, and leaves them there. */
  private static final class Natives {
    static {
      String before = System.getProperty("java.io.tmpdir");
      try {
        Path folder = Files.createTempDirectory("jcuda");
        System.setProperty("java.io.tmpdir", folder.toString());
        JCudaDriver.setExceptionsEnabled(false);
        JNvrtc.setExceptionsEnabled(false);
        JCublas2.setExceptionsEnabled(false);
        JCudnn.setExceptionsEnabled(false);
        try (Stream<Path> files = Files.list(folder)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        Files.delete(folder);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        System.setProperty("java.io.tmpdir", before);
      }
    }

    static void unpack() {}
  }

  static void check(int code) {
    assertEquals("CUDA_SUCCESS", CUresult.stringFor(code), CudaEmulator::lastFault);
  }

  CUdeviceptr allocate(long bytes) {
    CUdeviceptr pointer = new CUdeviceptr();
    check(JCudaDriver.cuMemAlloc(pointer, bytes));
    return pointer;
  }

  CUdeviceptr upload(float... values) {
    CUdeviceptr pointer = allocate(4L * values.length);
    check(JCudaDriver.cuMemcpyHtoD(pointer, Pointer.to(values), 4L * values.length));
    return pointer;
  }

  CUdeviceptr upload(short... values) {
    CUdeviceptr pointer = allocate(2L * values.length);
    check(JCudaDriver.cuMemcpyHtoD(pointer, Pointer.to(values), 2L * values.length));
    return pointer;
  }

  float[] floats(CUdeviceptr pointer, int count) {
    check(synchronise());
    float[] values = new float[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 4L * count));
    return values;
  }

  short[] shorts(CUdeviceptr pointer, int count) {
    check(synchronise());
    short[] values = new short[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 2L * count));
    return values;
  }

  /** Prepares another thread; the code of cuCtxSetCurrent. */
  int makeCurrent() {
    return JCudaDriver.cuCtxSetCurrent(context);
  }

  /** The code of cuStreamSynchronize. */
  int synchronise() {
    return JCudaDriver.cuStreamSynchronize(stream);
  }

  /** A kernel of a test resource, compiled by NVRTC for sm_80 when it is first asked for. */
  CUfunction kernel(String file, String name) {
    CUfunction function = new CUfunction();
    check(JCudaDriver.cuModuleGetFunction(function, modules.computeIfAbsent(file, this::compile), name));
    return function;
  }

  private CUmodule compile(String file) {
    CUmodule module = new CUmodule();
    check(JCudaDriver.cuModuleLoadData(module, cubin(source(file))));
    return module;
  }

  static String source(String file) {
    try (InputStream in = EmulatedDevice.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] cubin(String source) {
    nvrtcProgram program = new nvrtcProgram();
    assertEquals(0, JNvrtc.nvrtcCreateProgram(program, source, "test.cu", 0, null, null));
    int code = JNvrtc.nvrtcCompileProgram(program, 1, new String[] {"--gpu-architecture=sm_80"});
    String[] log = new String[1];
    JNvrtc.nvrtcGetProgramLog(program, log);
    assertEquals(0, code, () -> log[0]);
    long[] bytes = new long[1];
    JNvrtc.nvrtcGetCUBINSize(program, bytes);
    byte[] cubin = new byte[(int) bytes[0]];
    JNvrtc.nvrtcGetCUBIN(program, cubin);
    JNvrtc.nvrtcDestroyProgram(program);
    return cubin;
  }

  /** The code of cuLaunchKernel, on the stream; arguments are device pointers, ints, longs or floats. */
  int launch(CUfunction kernel, int blocks, int threads, int sharedBytes, Object... arguments) {
    return launchOn(stream, kernel, blocks, threads, sharedBytes, arguments);
  }

  int launchOn(CUstream stream, CUfunction kernel, int blocks, int threads, int sharedBytes, Object... arguments) {
    Pointer[] pointers = new Pointer[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      pointers[i] = pointerTo(arguments[i]);
    }
    return JCudaDriver.cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, Pointer.to(pointers),
        null);
  }

  private static Pointer pointerTo(Object argument) {
    if (argument == null) {
      return new Pointer();
    }
    if (argument instanceof CUdeviceptr p) {
      return Pointer.to(p);
    }
    if (argument instanceof Pointer p) {
      return Pointer.to(p);
    }
    if (argument instanceof Integer i) {
      return Pointer.to(new int[] {i});
    }
    if (argument instanceof Long l) {
      return Pointer.to(new long[] {l});
    }
    return Pointer.to(new float[] {(Float) argument});
  }

  @Override public void close() {
    CudaEmulator.reset();
  }
}
