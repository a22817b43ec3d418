package org.diffusionrpo.kernels.cuda.emulator;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;
import static jcuda.jcudnn.JCudnn.cudnnCreate;
import static jcuda.jcudnn.JCudnn.cudnnCreateConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroy;
import static jcuda.jcudnn.JCudnn.cudnnDestroyConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolution2dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionMathType;
import static jcuda.jcudnn.JCudnn.cudnnSetFilter4dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetStream;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.runtime.cudaStream_t;

/** One convolution under plain JCudnn: its descriptors, its three directions, and the same in plain loops. */
final class EmulatedConvolution implements AutoCloseable {
  static final int FLOAT = 0;
  static final int HALF = 2;
  static final int BFLOAT16 = 9;
  static final int DEFAULT_MATH = 0;
  static final int FMA_MATH = 3;
  private static final int CROSS_CORRELATION = 1;

  /** x [N, H, W, C], w [O, R, S, C], y [N, OH, OW, O], or with the channels second where nhwc is false. */
  record Shape(int n, int h, int w, int c, int o, int r, int s, int stride, int pad, int dilation, boolean nhwc) {
    int oh() {
      return (h + 2 * pad - (r - 1) * dilation - 1) / stride + 1;
    }

    int ow() {
      return (w + 2 * pad - (s - 1) * dilation - 1) / stride + 1;
    }

    int xSize() {
      return n * h * w * c;
    }

    int wSize() {
      return o * r * s * c;
    }

    int ySize() {
      return n * oh() * ow() * o;
    }

    /** Index of an element of a tensor of these sizes. */
    int at(int a, int channel, int i, int j, int channels, int height, int width) {
      return nhwc ? ((a * height + i) * width + j) * channels + channel
          : ((a * channels + channel) * height + i) * width + j;
    }
  }

  final cudnnHandle handle = new cudnnHandle();
  final cudnnTensorDescriptor x = new cudnnTensorDescriptor();
  final cudnnTensorDescriptor y = new cudnnTensorDescriptor();
  final cudnnFilterDescriptor w = new cudnnFilterDescriptor();
  final cudnnConvolutionDescriptor descriptor = new cudnnConvolutionDescriptor();
  private final Shape shape;

  EmulatedConvolution(EmulatedDevice device, Shape shape, int type, int math) {
    this.shape = shape;
    int format = shape.nhwc ? 1 : 0;
    ok(cudnnCreate(handle));
    ok(cudnnSetStream(handle, new cudaStream_t(device.stream)));
    ok(cudnnCreateTensorDescriptor(x));
    ok(cudnnSetTensor4dDescriptor(x, format, type, shape.n, shape.c, shape.h, shape.w));
    ok(cudnnCreateTensorDescriptor(y));
    ok(cudnnSetTensor4dDescriptor(y, format, type, shape.n, shape.o, shape.oh(), shape.ow()));
    ok(cudnnCreateFilterDescriptor(w));
    ok(cudnnSetFilter4dDescriptor(w, type, format, shape.o, shape.c, shape.r, shape.s));
    ok(cudnnCreateConvolutionDescriptor(descriptor));
    ok(cudnnSetConvolution2dDescriptor(descriptor, shape.pad, shape.pad, shape.stride, shape.stride, shape.dilation,
        shape.dilation, CROSS_CORRELATION, FLOAT));
    ok(cudnnSetConvolutionMathType(descriptor, math));
  }

  static void ok(int code) {
    assertEquals("CUDNN_STATUS_SUCCESS", JCudnn.cudnnGetErrorString(code), CudaEmulator::lastFault);
  }

  int forward(CUdeviceptr out, CUdeviceptr in, CUdeviceptr filter, int algorithm, CUdeviceptr space, long bytes,
      float beta) {
    return cudnnConvolutionForward(handle, scalar(1), x, in, w, filter, descriptor, algorithm, space, bytes,
        scalar(beta), y, out);
  }

  int backwardData(CUdeviceptr dx, CUdeviceptr filter, CUdeviceptr dy, int algorithm, CUdeviceptr space, long bytes,
      float beta) {
    return cudnnConvolutionBackwardData(handle, scalar(1), w, filter, y, dy, descriptor, algorithm, space, bytes,
        scalar(beta), x, dx);
  }

  int backwardFilter(CUdeviceptr dw, CUdeviceptr in, CUdeviceptr dy, int algorithm, CUdeviceptr space, long bytes,
      float beta) {
    return cudnnConvolutionBackwardFilter(handle, scalar(1), x, in, y, dy, descriptor, algorithm, space, bytes,
        scalar(beta), w, dw);
  }

  private static Pointer scalar(float value) {
    return Pointer.to(new float[] {value});
  }

  /** Adds the products of all three directions to the outputs that are not null. */
  void plain(double[] yOut, double[] dxOut, double[] dwOut, float[] in, float[] filter, float[] dy) {
    Shape q = shape;
    for (int n = 0; n < q.n; n++) {
      for (int i = 0; i < q.oh(); i++) {
        for (int j = 0; j < q.ow(); j++) {
          for (int r = 0; r < q.r; r++) {
            for (int s = 0; s < q.s; s++) {
              int h = i * q.stride - q.pad + r * q.dilation, v = j * q.stride - q.pad + s * q.dilation;
              if (h < 0 || h >= q.h || v < 0 || v >= q.w) {
                continue;
              }
              for (int o = 0; o < q.o; o++) {
                int yAt = q.at(n, o, i, j, q.o, q.oh(), q.ow());
                for (int c = 0; c < q.c; c++) {
                  int xAt = q.at(n, c, h, v, q.c, q.h, q.w), wAt = q.at(o, c, r, s, q.c, q.r, q.s);
                  yOut[yAt] += (double) in[xAt] * filter[wAt];
                  dxOut[xAt] += (double) dy[yAt] * filter[wAt];
                  dwOut[wAt] += (double) dy[yAt] * in[xAt];
                }
              }
            }
          }
        }
      }
    }
  }

  @Override public void close() {
    cudnnDestroyConvolutionDescriptor(descriptor);
    cudnnDestroyFilterDescriptor(w);
    cudnnDestroyTensorDescriptor(x);
    cudnnDestroyTensorDescriptor(y);
    cudnnDestroy(handle);
  }
}
