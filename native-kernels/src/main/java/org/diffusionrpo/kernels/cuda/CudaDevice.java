package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasGetVersion;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcudnn.JCudnn.cudnnCreate;
import static jcuda.jcudnn.JCudnn.cudnnDestroy;
import static jcuda.jcudnn.JCudnn.cudnnGetCudartVersion;
import static jcuda.jcudnn.JCudnn.cudnnGetVersion;
import static jcuda.jcudnn.JCudnn.cudnnSetStream;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.jcublas.cublasHandle;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device: its primary context, a compute and a copy stream, the handles of cuBLAS and cuDNN, the memory and the
 * loaded kernels. For one thread at a time; {@link #bind} before the first call in another thread.
 */
public final class CudaDevice implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);
  private static final long OLDEST_CUDNN = 90_000;
  private static final int CUDA = 12;
  /** The attention kernels for tensor cores in the jar are made for this architecture. */
  private static final int AHEAD_OF_TIME_HALF = 80;
  /** The device whose context is current in a thread. */
  private static final ThreadLocal<CudaDevice> CURRENT = new ThreadLocal<>();

  private final CudaOptions options;
  private final DeviceInfo info;
  private final Resources resources = new Resources();
  private final CUcontext context = new CUcontext();
  private final CUstream compute = new CUstream();
  private final CUstream copy = new CUstream();
  private final cublasHandle cublas = new cublasHandle();
  private final cudnnHandle cudnn = new cudnnHandle();
  private final DeviceMemory memory;
  private final KernelCompiler compiler;
  private final Map<String, KernelModule> modules = new HashMap<>();
  private final Set<CudaGraph> graphs = new HashSet<>();
  private boolean closed;

  private CudaDevice(CudaOptions options, DeviceInfo info) {
    this.options = options;
    this.info = info;
    try {
      CUdevice device = DeviceInfo.device(info.number());
      Status.driver("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
      resources.add(() -> cuDevicePrimaryCtxRelease(device));
      bind();
      openStream(compute);
      openStream(copy);
      openCublas();
      openCudnn();
      memory = new DeviceMemory(compute, copy, options.poison());
      resources.add(memory::close);
      resources.add(() -> List.copyOf(graphs).forEach(CudaGraph::close));
      compiler = new KernelCompiler(info.architecture(), memory, compute);
      if (options.precision() == Precision.FP16 && info.architecture() < AHEAD_OF_TIME_HALF
          && !compiler.hasCompiler()) {
        throw new CudaException("fp16 on compute capability " + info.capability() + " needs NVRTC; "
            + CudaLibraries.Library.NVRTC.advice());
      }
    } catch (RuntimeException | Error e) {
      resources.close();
      throw e;
    }
  }

  /** @throws CudaException when the device is not there or not fit, or a library is missing; says what to do */
  public static CudaDevice open(CudaOptions options) {
    List<DeviceInfo> devices = DeviceInfo.all();
    if (devices.isEmpty()) {
      throw new CudaException("the driver finds no GPU (nvidia-smi shows what it sees; a container needs --gpus all)");
    } else if (options.device() < 0 || options.device() >= devices.size()) {
      throw new CudaException("there is no GPU " + options.device() + ", the last one is " + (devices.size() - 1));
    }
    DeviceInfo info = devices.get(options.device());
    String unfit = info.unfit(options.precision());
    if (unfit != null) {
      throw new CudaException(unfit);
    }
    return new CudaDevice(options, info);
  }

  private void openStream(CUstream stream) {
    Status.driver("cuStreamCreate", cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    resources.add(() -> cuStreamDestroy(stream));
  }

  private void openCublas() {
    Status.cublas("cublasCreate", cublasCreate(cublas));
    resources.add(() -> cublasDestroy(cublas));
    Status.cublas("cublasSetStream", cublasSetStream(cublas, new cudaStream_t(compute)));
  }

  private void openCudnn() {
    long version = cudnnGetVersion();
    if (version < OLDEST_CUDNN) {
      throw new CudaException("cuDNN " + version + " is too old; " + CudaLibraries.Library.CUDNN.advice());
    }
    long runtime = cudnnGetCudartVersion() / 1000;
    if (runtime != CUDA) {
      throw new CudaException("cuDNN is made for CUDA " + runtime + "; " + CudaLibraries.Library.CUDNN.advice());
    }
    Status.cudnn("cudnnCreate", cudnnCreate(cudnn));
    resources.add(() -> cudnnDestroy(cudnn));
    Status.cudnn("cudnnSetStream", cudnnSetStream(cudnn, new cudaStream_t(compute)));
  }

  /** Makes the context current in this thread. */
  public void bind() {
    if (closed) {
      throw new IllegalStateException("the GPU backend was closed");
    }
    if (CURRENT.get() != this) {
      Status.driver("cuCtxSetCurrent", cuCtxSetCurrent(context));
      CURRENT.set(this);
    }
  }

  /** Waits until all work is done; errors of kernels show here at the latest. */
  public void synchronize() {
    memory.refuseWhileRecording("synchronizing");
    Status.driver("cuStreamSynchronize", cuStreamSynchronize(compute));
  }

  /** The kernels of {@code file}.cu, compiled and loaded at the first call. */
  KernelModule module(String file) {
    return modules.computeIfAbsent(file, name -> {
      KernelModule module = compiler.load(KernelSource.of(name));
      resources.add(module::close);
      return module;
    });
  }

  /** Work to be run again and again, which is closed with the device at the latest. */
  public CudaGraph graph(Runnable work) {
    CudaGraph graph = new CudaGraph(this, compute, work);
    graphs.add(graph);
    return graph;
  }

  void forget(CudaGraph graph) {
    graphs.remove(graph);
  }

  public CudaOptions options() {
    return options;
  }

  public DeviceInfo info() {
    return info;
  }

  public DeviceMemory memory() {
    return memory;
  }

  /** Bytes that no program has, this one included. */
  public long freeBytes() {
    long[] free = new long[1];
    Status.driver("cuMemGetInfo", cuMemGetInfo(free, new long[1]));
    return free[0];
  }

  /** One line on the libraries in use. */
  public String describe() {
    int[] version = new int[1];
    Status.cublas("cublasGetVersion", cublasGetVersion(cublas, version));
    return "cuBLAS " + version[0] / 10_000 + "." + version[0] / 100 % 100 + ", cuDNN " + cudnnGetVersion() / 10_000 + "."
        + cudnnGetVersion() / 100 % 100 + ", " + compiler.describe();
  }

  cublasHandle cublas() {
    return cublas;
  }

  cudnnHandle cudnn() {
    return cudnn;
  }

  /** Objects that live as long as the device. */
  void own(Runnable release) {
    resources.add(release);
  }

  /** Errors here are logged and not thrown: what was computed was read before, and an earlier error comes first. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      CURRENT.remove();
      warn("cuCtxSetCurrent", cuCtxSetCurrent(context)); // the closing thread may be another one
      warn("cuStreamSynchronize", cuStreamSynchronize(compute));
      warn("cuStreamSynchronize", cuStreamSynchronize(copy));
    }
    resources.close();
  }

  private static void warn(String call, int code) {
    if (code != CUresult.CUDA_SUCCESS && !Status.wasReported(code)) {
      LOG.warn("While the device was closed, {}", Status.driverError(call, code).getMessage());
    }
  }
}
