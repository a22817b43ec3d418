package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleUnload;

import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/** The kernels of one source, loaded into the context. */
final class KernelModule implements AutoCloseable {
  /** What a block may have without asking. */
  private static final int DEFAULT_SHARED = 48 << 10;

  private final CUmodule module;
  private final DeviceMemory memory;
  private final CUstream stream;
  private final Map<String, KernelSignature> signatures;
  private final Map<String, Function> functions = new HashMap<>();

  KernelModule(CUmodule module, DeviceMemory memory, CUstream stream, Map<String, KernelSignature> signatures) {
    this.module = module;
    this.memory = memory;
    this.stream = stream;
    this.signatures = signatures;
  }

  private static final class Function {
    private final CUfunction handle = new CUfunction();
    private final KernelSignature signature;
    private int maxShared = DEFAULT_SHARED;

    Function(KernelSignature signature) {
      this.signature = signature;
    }
  }

  /**
   * Puts one launch into the compute stream.
   *
   * @param arguments {@link DeviceBuffer} or null for a pointer, Integer, Long, Float, Double
   */
  void launch(String kernel, Grid grid, Object... arguments) {
    if (grid.x() == 0 || grid.y() == 0 || grid.z() == 0) {
      return; // an empty tensor
    }
    Function function = functions.computeIfAbsent(kernel, this::load);
    if (grid.sharedBytes() > function.maxShared) {
      Status.driver("cuFuncSetAttribute of " + kernel, cuFuncSetAttribute(function.handle,
          CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, grid.sharedBytes()));
      function.maxShared = grid.sharedBytes();
    }
    Pointer packed = function.signature.pack(arguments);
    memory.call(Status.Library.DRIVER, "cuLaunchKernel of " + kernel, () -> cuLaunchKernel(function.handle, grid.x(),
        grid.y(), grid.z(), grid.threads(), 1, 1, grid.sharedBytes(), stream, packed, null));
  }

  private Function load(String kernel) {
    KernelSignature signature = signatures.get(kernel);
    if (signature == null) {
      throw new IllegalArgumentException("no kernel " + kernel);
    }
    Function function = new Function(signature);
    Status.driver("cuModuleGetFunction of " + kernel, cuModuleGetFunction(function.handle, module, kernel));
    return function;
  }

  @Override
  public void close() {
    cuModuleUnload(module);
  }
}
