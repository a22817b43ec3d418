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
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.nvrtc.nvrtcProgram;
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

  private final CUstream stream;
  private final CacheFolder cache = CacheFolder.open();
  private final Compiler compiler;

  /** NVRTC as it is on this machine; {@code target} is e.g. sm_86, or compute_90 for newer devices. */
  private record Compiler(String version, String target) {}

  /** @param architecture the device's compute capability, e.g. 86 */
  KernelCompiler(int architecture, CUstream stream) {
    this.stream = stream;
    this.compiler = CudaLibraries.Library.NVRTC.find() == null ? null : compiler(architecture);
  }

  private static Compiler compiler(int architecture) {
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

  /** How kernels are made, for the doctor. */
  String describe() {
    return compiler == null ? "kernels compiled ahead of time" : "kernels by NVRTC " + compiler.version + " for "
        + compiler.target;
  }

  KernelModule load(KernelSource source) {
    CUmodule module = new CUmodule();
    if (compiler == null || !loadCompiled(module, source)) {
      String ptx = source.ptx();
      if (ptx == null) {
        throw new CudaException(source.file() + " was not compiled ahead of time, and NVRTC is missing; "
            + CudaLibraries.Library.NVRTC.advice());
      }
      Status.driver("cuModuleLoadData of " + source.file() + ".ptx", cuModuleLoadData(module, ptx));
    }
    return new KernelModule(module, stream, KernelSignature.parse(source.text()));
  }

  /** False where NVRTC is newer than the driver: it writes PTX that the driver cannot read. */
  private boolean loadCompiled(CUmodule module, KernelSource source) {
    String name = "kernels/" + source.file() + "-" + compiler.target + "-nvrtc" + compiler.version + "-"
        + source.hash().substring(0, 16);
    byte[] image = cache.read(name);
    if (image != null) {
      int code = cuModuleLoadData(module, image);
      if (code == CUresult.CUDA_SUCCESS) {
        return true;
      } else if (!UNFIT.contains(code)) {
        throw Status.driverError("cuModuleLoadData of " + source.file(), code);
      }
      cache.delete(name);
    }
    image = compile(source);
    int code = cuModuleLoadData(module, image);
    if (code == CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION) {
      LOG.info("NVRTC {} is newer than the driver: {} as compiled ahead of time", compiler.version, source.file());
      return false;
    }
    Status.driver("cuModuleLoadData of " + source.file(), code);
    cache.write(name, image);
    return true;
  }

  private byte[] compile(KernelSource source) {
    LOG.debug("Compiling {} for {}", source.file(), compiler.target);
    nvrtcProgram program = new nvrtcProgram();
    Status.nvrtc("nvrtcCreateProgram",
        nvrtcCreateProgram(program, source.text(), source.file() + ".cu", 0, null, null));
    try {
      String[] options = {"--gpu-architecture=" + compiler.target, "--std=c++17"};
      int code = nvrtcCompileProgram(program, options.length, options);
      if (code != 0) {
        String[] log = {""};
        nvrtcGetProgramLog(program, log);
        Status.nvrtc("nvrtcCompileProgram of " + source.file() + ".cu (" + log[0].strip() + ")", code);
      }
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
