package org.diffusionrpo.kernels.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;
import static jcuda.jcudnn.JCudnn.cudnnCreateConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolution2dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionMathType;
import static jcuda.jcudnn.JCudnn.cudnnSetFilter4dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;

import java.util.ArrayDeque;
import java.util.Deque;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;

/**
 * One convolution as cuDNN knows it: descriptors in NHWC, and the algorithms for these sizes, of which the first that works
 * is taken.
 */
final class CudnnPlan implements AutoCloseable {
  private final CudaDevice device;
  private final Direction direction;
  private final Resources resources = new Resources();
  private final cudnnTensorDescriptor x = new cudnnTensorDescriptor();
  private final cudnnTensorDescriptor y = new cudnnTensorDescriptor();
  private final cudnnFilterDescriptor w = new cudnnFilterDescriptor();
  private final cudnnConvolutionDescriptor convolution = new cudnnConvolutionDescriptor();
  private final Deque<CudnnAlgorithm> algorithms;
  private int mathType;

  enum Direction { FORWARD, BACKWARD_DATA, BACKWARD_FILTER }

  CudnnPlan(CudaDevice device, Direction direction, Geometry g, Format format) {
    this.device = device;
    this.direction = direction;
    try {
      describe(x, format, g.batch(), g.inChannels(), g.height(), g.width());
      describe(y, format, g.batch(), g.outChannels(), g.outHeight(), g.outWidth());
      Status.cudnn("cudnnCreateFilterDescriptor", cudnnCreateFilterDescriptor(w));
      resources.add(() -> cudnnDestroyFilterDescriptor(w));
      Status.cudnn("cudnnSetFilter4dDescriptor", cudnnSetFilter4dDescriptor(w, format.cudnn(),
          cudnnTensorFormat.CUDNN_TENSOR_NHWC, g.outChannels(), g.inChannels(), g.kernelHeight(), g.kernelWidth()));
      Status.cudnn("cudnnCreateConvolutionDescriptor", cudnnCreateConvolutionDescriptor(convolution));
      resources.add(() -> cudnnDestroyConvolutionDescriptor(convolution));
      Status.cudnn("cudnnSetConvolution2dDescriptor", cudnnSetConvolution2dDescriptor(convolution, g.padTop(),
          g.padLeft(), g.stride(), g.stride(), 1, 1, cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
          cudnnDataType.CUDNN_DATA_FLOAT));
      setMathType(preferredMathType());
      algorithms = new ArrayDeque<>(CudnnAlgorithm.rank(device, direction, x, w, convolution, y, mathType));
    } catch (RuntimeException | Error e) {
      resources.close();
      throw e;
    }
  }

  private void describe(cudnnTensorDescriptor tensor, Format format, int n, int c, int h, int width) {
    Status.cudnn("cudnnCreateTensorDescriptor", cudnnCreateTensorDescriptor(tensor));
    resources.add(() -> cudnnDestroyTensorDescriptor(tensor));
    Status.cudnn("cudnnSetTensor4dDescriptor", cudnnSetTensor4dDescriptor(tensor, cudnnTensorFormat.CUDNN_TENSOR_NHWC,
        format.cudnn(), n, c, h, width));
  }

  /** The default takes TF32 for fp32 operands; exact products have to be asked for. */
  private int preferredMathType() {
    return switch (device.options().precision()) {
      case FP32 -> cudnnMathType.CUDNN_FMA_MATH;
      case TF32 -> cudnnMathType.CUDNN_DEFAULT_MATH;
      case BF16, FP16 -> cudnnMathType.CUDNN_TENSOR_OP_MATH;
    };
  }

  private void setMathType(int type) {
    Status.cudnn("cudnnSetConvolutionMathType", cudnnSetConvolutionMathType(convolution, type));
    mathType = type;
  }

  /** Whether cuDNN has an algorithm left for this convolution. */
  boolean isSupported() {
    return !algorithms.isEmpty();
  }

  /**
   * Runs it in the compute stream. The roles of a, b and out are x, w and y; or dy, w and dx; or dy, x and dw.
   *
   * @param beta factor of what out held before
   * @return false when cuDNN refuses after all, whatever the algorithm
   */
  boolean run(DeviceBuffer out, DeviceBuffer a, DeviceBuffer b, float beta) {
    while (!algorithms.isEmpty()) {
      CudnnAlgorithm algorithm = algorithms.getFirst();
      if (algorithm.mathType() != mathType) {
        setMathType(algorithm.mathType());
      }
      if (run(algorithm, out, a, b, beta)) {
        return true;
      }
      algorithms.removeFirst();
    }
    return false;
  }

  private boolean run(CudnnAlgorithm algorithm, DeviceBuffer out, DeviceBuffer a, DeviceBuffer b, float beta) {
    long bytes = algorithm.workspace();
    try (DeviceBuffer workspace = bytes == 0 ? null : device.memory().take(bytes)) {
      Pointer space = workspace == null ? new Pointer() : workspace.pointer();
      int code = device.memory().codeOf(Status.Library.CUDNN, call(),
          () -> enqueue(algorithm, out, a, b, beta, space));
      if (Status.isUnsupported(code)) {
        return false;
      }
      Status.cudnn(call(), code);
      return true;
    } catch (DeviceOutOfMemoryError e) {
      if (algorithms.size() > 1) {
        return false; // another may need less
      }
      throw e;
    }
  }

  private int enqueue(CudnnAlgorithm algorithm, DeviceBuffer out, DeviceBuffer a, DeviceBuffer b, float beta,
      Pointer workspace) {
    Pointer one = Pointer.to(new float[] {1});
    Pointer before = Pointer.to(new float[] {beta});
    long bytes = algorithm.workspace();
    return switch (direction) {
      case FORWARD -> cudnnConvolutionForward(device.cudnn(), one, x, a.pointer(), w, b.pointer(), convolution,
          algorithm.number(), workspace, bytes, before, y, out.pointer());
      case BACKWARD_DATA -> cudnnConvolutionBackwardData(device.cudnn(), one, w, b.pointer(), y, a.pointer(),
          convolution, algorithm.number(), workspace, bytes, before, x, out.pointer());
      case BACKWARD_FILTER -> cudnnConvolutionBackwardFilter(device.cudnn(), one, x, b.pointer(), y, a.pointer(),
          convolution, algorithm.number(), workspace, bytes, before, w, out.pointer());
    };
  }

  private String call() {
    return switch (direction) {
      case FORWARD -> "cudnnConvolutionForward";
      case BACKWARD_DATA -> "cudnnConvolutionBackwardData";
      case BACKWARD_FILTER -> "cudnnConvolutionBackwardFilter";
    };
  }

  @Override
  public void close() {
    resources.close();
  }
}
