package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.nvrtc.JNvrtc.nvrtcCompileProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcCreateProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcDestroyProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcGetCUBIN;
import static jcuda.nvrtc.JNvrtc.nvrtcGetCUBINSize;
import static jcuda.nvrtc.JNvrtc.nvrtcGetNumSupportedArchs;
import static jcuda.nvrtc.JNvrtc.nvrtcGetPTX;
import static jcuda.nvrtc.JNvrtc.nvrtcGetProgramLog;
import static jcuda.nvrtc.JNvrtc.nvrtcGetSupportedArchs;
import static jcuda.nvrtc.JNvrtc.nvrtcVersion;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.nvrtc.nvrtcProgram;
import jcuda.nvrtc.nvrtcResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes modules from sources. In this order:
 *
 * <pre>
 * 1. the cubin kept from an earlier start, by source, architecture and compiler
 * 2. NVRTC: a cubin for the device, or PTX for the newest architecture it knows where the device is newer
 * 3. the PTX that was compiled ahead of time for the oldest device, which every driver translates
 * </pre>
 */
final class KernelCompiler {
  private static final Logger LOG = LoggerFactory.getLogger(KernelCompiler.class);

  /** Damaged files, and those of another driver. */
  private static final Set<Integer> UNFIT = Set.of(CUresult.CUDA_ERROR_INVALID_IMAGE,
      CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, CUresult.CUDA_ERROR_INVALID_PTX,
      CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, CUresult.CUDA_ERROR_INVALID_SOURCE);

  private final DeviceMemory memory;
  private final CUstream stream;
  private final CacheFolder cache = CacheFolder.open();
  private final Compiler compiler;

  /** NVRTC as it is on this machine; {@code target} is e.g. sm_86, or compute_90 for newer devices. */
  private record Compiler(String version, String target) {}

  /** @param architecture the device's compute capability, e.g. 86 */
  KernelCompiler(int architecture, DeviceMemory memory, CUstream stream) {
    this.memory = memory;
    this.stream = stream;
    this.compiler = CudaLibraries.Library.NVRTC.find() == null ? null : compiler(architecture);
  }

  /** Null when NVRTC does not work, or knows no architecture that the device can run. */
  private static Compiler compiler(int architecture) {
    try {
      return ask(architecture);
    } catch (NvrtcFailure e) {
      LOG.warn("{}: kernels are taken as compiled ahead of time", e.getMessage());
      return null;
    }
  }

  private static Compiler ask(int architecture) {
    int[] major = new int[1];
    int[] minor = new int[1];
    Status.nvrtc("nvrtcVersion", nvrtcVersion(major, minor));
    int[] count = new int[1];
    Status.nvrtc("nvrtcGetNumSupportedArchs", nvrtcGetNumSupportedArchs(count));
    int[] known = new int[count[0]];
    Status.nvrtc("nvrtcGetSupportedArchs", nvrtcGetSupportedArchs(known));
    boolean exact = Arrays.stream(known).anyMatch(arch -> arch == architecture);
    int newest = Arrays.stream(known).filter(arch -> arch <= architecture).max().orElse(-1);
    if (newest < 0) {
      return null;
    }
    return new Compiler(major[0] + "." + minor[0], exact ? "sm_" + architecture : "compute_" + newest);
  }

  /** How kernels are made; the first start on a machine compiles for some seconds, in silence. */
  String describe() {
    if (compiler == null) {
      return "kernels compiled ahead of time";
    }
    boolean cached = Stream.of("attention", "attention_mma") // the slowest, of which a run takes one
        .anyMatch(file -> cache.read(cachedName(KernelSource.of(file))) != null);
    return "kernels by NVRTC " + compiler.version + " for " + compiler.target
        + (cached ? "" : ", to be compiled at first use");
  }

  private String cachedName(KernelSource source) {
    return "kernels/" + source.file() + "-" + compiler.target + "-nvrtc" + compiler.version + "-"
        + source.hash().substring(0, 16);
  }

  /** Whether kernels are made for this very device, and not for the oldest one. */
  boolean hasCompiler() {
    return compiler != null;
  }

  KernelModule load(KernelSource source) {
    CUmodule module = new CUmodule();
    if (compiler == null || !loadCompiled(module, source)) {
      String ptx = source.ptx();
      if (ptx == null) {
        throw new CudaException(source.file() + " was not compiled ahead of time, and NVRTC is missing; "
            + CudaLibraries.Library.NVRTC.advice());
      }
      memory.call(Status.Library.DRIVER, "cuModuleLoadData of " + source.file() + ".ptx",
          () -> cuModuleLoadData(module, ptx));
    }
    return new KernelModule(module, memory, stream, KernelSignature.parse(source.text()));
  }

  /** False where NVRTC does not work, or is newer than the driver and writes PTX that the driver cannot read. */
  private boolean loadCompiled(CUmodule module, KernelSource source) {
    String name = cachedName(source);
    byte[] kept = cache.read(name);
    if (kept != null) {
      int code = loadCode(module, source, kept);
      if (!UNFIT.contains(code)) {
        Status.driver("cuModuleLoadData of " + source.file(), code);
        return true;
      }
      cache.delete(name);
    }
    byte[] image = compile(source);
    if (image == null) {
      return false;
    }
    int code = loadCode(module, source, image);
    if (code == CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION) {
      LOG.warn("NVRTC {} is newer than the driver: {} is taken as compiled ahead of time", compiler.version,
          source.file());
      return false;
    }
    Status.driver("cuModuleLoadData of " + source.file(), code);
    cache.write(name, image);
    return true;
  }

  private int loadCode(CUmodule module, KernelSource source, byte[] image) {
    return memory.codeOf(Status.Library.DRIVER, "cuModuleLoadData of " + source.file(),
        () -> cuModuleLoadData(module, image));
  }

  /** Null when NVRTC itself fails, such as for want of its builtins; what it finds wrong in the source is an error. */

  private byte[] compile(KernelSource source) {
    LOG.debug("Compiling {} for {}", source.file(), compiler.target);
    try {
      return compiled(source);
    } catch (NvrtcFailure e) {
      LOG.warn("{}: {} is taken as compiled ahead of time", e.getMessage(), source.file());
      return null;
    }
  }

  private byte[] compiled(KernelSource source) {
    nvrtcProgram program = new nvrtcProgram();
    Status.nvrtc("nvrtcCreateProgram",
        nvrtcCreateProgram(program, source.text(), source.file() + ".cu", 0, null, null));
    try {
      String[] options = {"--gpu-architecture=" + compiler.target, "--std=c++17"};
      int code = nvrtcCompileProgram(program, options.length, options);
      if (code == nvrtcResult.NVRTC_ERROR_COMPILATION) {
        String[] log = {""};
        nvrtcGetProgramLog(program, log);
        throw new CudaException("nvrtcCompileProgram of " + source.file() + ".cu failed: " + log[0].strip());
      }
      Status.nvrtc("nvrtcCompileProgram of " + source.file() + ".cu", code);
      return image(program);
    } finally {
      nvrtcDestroyProgram(program);
    }
  }

  private byte[] image(nvrtcProgram program) {
    if (compiler.target.startsWith("sm_")) {
      long[] size = new long[1];
      Status.nvrtc("nvrtcGetCUBINSize", nvrtcGetCUBINSize(program, size));
      byte[] cubin = new byte[Math.toIntExact(size[0])];
      Status.nvrtc("nvrtcGetCUBIN", nvrtcGetCUBIN(program, cubin));
      return cubin;
    }
    String[] ptx = new String[1];
    Status.nvrtc("nvrtcGetPTX", nvrtcGetPTX(program, ptx));
    return (ptx[0] + '\0').getBytes(StandardCharsets.UTF_8); // the driver looks for the end
  }
}
