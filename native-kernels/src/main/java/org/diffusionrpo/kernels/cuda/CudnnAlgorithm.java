package org.diffusionrpo.kernels.cuda;

import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardAlgorithm_v7;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An algorithm of cuDNN.
 *
 * @param mathType with which it needs this workspace and this much time
 * @param workspace bytes it needs
 */
record CudnnAlgorithm(int number, int mathType, long workspace) {
  private static final Logger LOG = LoggerFactory.getLogger(CudnnAlgorithm.class);

  /** More than cuDNN has of any kind. */
  private static final int CANDIDATES = 16;

  /** Beyond, a slower algorithm is better than no memory. */
  private static final long MAX_WORKSPACE = 512L << 20;

  private record Candidate(int number, int status, int mathType, long workspace, int determinism) {}

  /**
   * Those that cuDNN expects to work, fastest first, only deterministic ones if the device's options say so.
   *
   * @param mathType of the convolution's descriptor, to which exact fp32 keeps
   */
  static List<CudnnAlgorithm> rank(CudaDevice device, CudnnPlan.Direction direction, cudnnTensorDescriptor x,
      cudnnFilterDescriptor w, cudnnConvolutionDescriptor convolution, cudnnTensorDescriptor y, int mathType) {
    List<Candidate> candidates = new ArrayList<>();
    int code;
    try {
      code = ask(device, direction, x, w, convolution, y, candidates);
    } catch (ArrayIndexOutOfBoundsException e) {
      // When the call fails, JCuda takes the count of results from memory that nobody wrote, and loses the code.
      LOG.warn("{} failed", call(direction));
      return List.of();
    }
    if (Status.isUnsupported(code)) {
      return List.of();
    }
    Status.cudnn(call(direction), code);
    boolean exact = device.options().precision() == Precision.FP32;
    return candidates.stream()
        .filter(each -> each.status == 0 && each.workspace <= MAX_WORKSPACE)
        .filter(each -> !exact || !usesTensorCores(each.mathType))
        .filter(each -> !device.options().deterministic()
            || each.determinism == cudnnDeterminism.CUDNN_DETERMINISTIC)
        .map(each -> new CudnnAlgorithm(each.number, exact ? mathType : each.mathType, each.workspace)).toList();
  }

  private static boolean usesTensorCores(int mathType) {
    return mathType == cudnnMathType.CUDNN_TENSOR_OP_MATH
        || mathType == cudnnMathType.CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  }

  private static int ask(CudaDevice device, CudnnPlan.Direction direction, cudnnTensorDescriptor x,
      cudnnFilterDescriptor w, cudnnConvolutionDescriptor convolution, cudnnTensorDescriptor y,
      List<Candidate> candidates) {
    int[] count = new int[1];
    int code;
    switch (direction) {
      case FORWARD -> {
        cudnnConvolutionFwdAlgoPerf[] found = array(cudnnConvolutionFwdAlgoPerf[]::new,
            cudnnConvolutionFwdAlgoPerf::new);
        code = cudnnGetConvolutionForwardAlgorithm_v7(device.cudnn(), x, w, convolution, y, CANDIDATES, count, found);
        for (int i = 0; i < count[0]; i++) {
          candidates.add(new Candidate(found[i].algo, found[i].status, found[i].mathType, found[i].memory,
              found[i].determinism));
        }
      }
      case BACKWARD_DATA -> {
        cudnnConvolutionBwdDataAlgoPerf[] found = array(cudnnConvolutionBwdDataAlgoPerf[]::new,
            cudnnConvolutionBwdDataAlgoPerf::new);
        code = cudnnGetConvolutionBackwardDataAlgorithm_v7(device.cudnn(), w, y, convolution, x, CANDIDATES, count,
            found);
        for (int i = 0; i < count[0]; i++) {
          candidates.add(new Candidate(found[i].algo, found[i].status, found[i].mathType, found[i].memory,
              found[i].determinism));
        }
      }
      default -> {
        cudnnConvolutionBwdFilterAlgoPerf[] found = array(cudnnConvolutionBwdFilterAlgoPerf[]::new,
            cudnnConvolutionBwdFilterAlgoPerf::new);
        code = cudnnGetConvolutionBackwardFilterAlgorithm_v7(device.cudnn(), x, y, convolution, w, CANDIDATES, count,
            found);
        for (int i = 0; i < count[0]; i++) {
          candidates.add(new Candidate(found[i].algo, found[i].status, found[i].mathType, found[i].memory,
              found[i].determinism));
        }
      }
    }
    return code;
  }

  private static String call(CudnnPlan.Direction direction) {
    return switch (direction) {
      case FORWARD -> "cudnnGetConvolutionForwardAlgorithm_v7";
      case BACKWARD_DATA -> "cudnnGetConvolutionBackwardDataAlgorithm_v7";
      case BACKWARD_FILTER -> "cudnnGetConvolutionBackwardFilterAlgorithm_v7";
    };
  }

  private static <T> T[] array(IntFunction<T[]> array, Supplier<T> element) {
    return IntStream.range(0, CANDIDATES).mapToObj(i -> element.get()).toArray(array);
  }
}
