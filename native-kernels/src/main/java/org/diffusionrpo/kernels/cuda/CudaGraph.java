package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;

/**
 * Work of the compute stream that is launched as a whole, with one call instead of one for each kernel.
 *
 * <pre>
 * first run    as usual: loads modules, lets cuDNN plan, finds the memory
 * second run   captured into a graph, which is launched
 * later runs   launched
 * </pre>
 *
 * A graph holds addresses. So what the work takes comes from blocks that nobody else gets until {@link #close}; the
 * second run takes the same blocks as the first, and asks the driver for none. What the work reads and writes beside
 * them must stay where it is. Values from the host would be those of the recording in every run: uploads and readings
 * are refused from the first run on.
 */
public final class CudaGraph implements AutoCloseable {
  private final CudaDevice device;
  private final CUstream stream;
  private final Runnable work;
  private final BlockPool blocks = new BlockPool();
  private CUgraphExec executable;
  private boolean warm;
  private boolean closed;

  /** For {@link CudaDevice#graph}. */
  CudaGraph(CudaDevice device, CUstream stream, Runnable work) {
    this.device = device;
    this.stream = stream;
    this.work = work;
  }

  /**
   * Puts the work into the compute stream.
   *
   * @throws CudaException names the call that failed; a failed recording leaves nothing behind and may be tried again
   */
  public void run() {
    if (closed) {
      throw new IllegalStateException("a graph was run after it was closed");
    }
    device.memory().refuseWhileRecording("a recording");
    if (!warm) {
      device.memory().record(blocks, false, work);
      warm = true;
      return;
    }
    if (executable == null) {
      executable = instantiate();
    }
    device.memory().call(Status.Library.DRIVER, "cuGraphLaunch", () -> cuGraphLaunch(executable, stream));
  }

  private CUgraphExec instantiate() {
    CUgraph graph = capture();
    try {
      CUgraphExec made = new CUgraphExec();
      device.memory().call(Status.Library.DRIVER, "cuGraphInstantiateWithFlags",
          () -> cuGraphInstantiate(made, graph, 0));
      return made;
    } finally {
      cuGraphDestroy(graph);
    }
  }

  private CUgraph capture() {
    CUgraph graph = new CUgraph();
    device.synchronize();
    // Relaxed: cuBLAS and cuDNN may call what is refused otherwise, and both streams are apart from the default one.
    Status.driver("cuStreamBeginCapture",
        cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
    try {
      device.memory().record(blocks, true, work);
      Status.driver("cuStreamEndCapture", cuStreamEndCapture(stream, graph));
      return graph;
    } catch (RuntimeException | Error e) {
      if (cuStreamEndCapture(stream, graph) == CUresult.CUDA_SUCCESS) { // else the stream would record for ever
        cuGraphDestroy(graph);
      }
      throw e;
    }
  }

  /** Gives the graph and its memory back; what was launched runs to its end. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      if (executable != null) {
        cuGraphExecDestroy(executable);
      }
      device.memory().endRecording(blocks);
      device.forget(this);
    }
  }
}
