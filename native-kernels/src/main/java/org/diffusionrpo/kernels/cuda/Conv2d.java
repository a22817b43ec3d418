package org.diffusionrpo.kernels.cuda;

import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;

/**
 * Two-dimensional convolution of NHWC images with OHWI weights, as the CPU's
 * {@link org.diffusionrpo.kernels.cpu.Conv2d}, without bias. A 1x1 convolution is a matrix product; cuDNN does the
 * others, and what it does not support (padding that differs between sides, some sizes) is a product of gathered
 * windows.
 */
public final class Conv2d {
  private final Gemm gemm;
  private final CudnnConvolution cudnn;
  private final WindowConvolution windows;

  public Conv2d(CudaDevice device) {
    gemm = new Gemm(device);
    cudnn = new CudnnConvolution(device);
    windows = new WindowConvolution(device, gemm);
  }

  /** y [N, OH, OW, O] = x [N, H, W, C] convolved with w [O, R, S, C]. */
  public void forward(DeviceBuffer y, DeviceBuffer x, Operand w, Geometry g) {
    if (isPointwise(g)) {
      gemm.multiply(y, g.outChannels(), Operand.f32(x), g.inChannels(), false, w, g.inChannels(), true, positions(g),
          g.outChannels(), g.inChannels(), 1, 0);
    } else if (!cudnn.forward(y, x, w, g)) {
      windows.forward(y, x, w, g);
    }
  }

  /** dx is overwritten. */
  public void backwardData(DeviceBuffer dx, DeviceBuffer dy, Operand w, Geometry g) {
    if (isPointwise(g)) {
      gemm.multiply(dx, g.inChannels(), Operand.f32(dy), g.outChannels(), false, w, g.inChannels(), false, positions(g),
          g.inChannels(), g.outChannels(), 1, 0);
    } else if (!cudnn.backwardData(dx, dy, w, g)) {
      windows.backwardData(dx, dy, w, g);
    }
  }

  /** Adds to dw. */
  public void backwardFilter(DeviceBuffer dw, DeviceBuffer dy, DeviceBuffer x, Geometry g) {
    if (isPointwise(g)) {
      gemm.multiply(dw, g.inChannels(), dy, g.outChannels(), true, x, g.inChannels(), false, g.outChannels(),
          g.inChannels(), positions(g), 1, 1);
    } else if (!cudnn.backwardFilter(dw, dy, x, g)) {
      windows.backwardFilter(dw, dy, x, g);
    }
  }

  private static boolean isPointwise(Geometry g) {
    return g.kernelHeight() == 1 && g.kernelWidth() == 1 && g.stride() == 1 && g.outHeight() == g.height()
        && g.outWidth() == g.width();
  }

  private static int positions(Geometry g) {
    return g.batch() * g.outHeight() * g.outWidth();
  }
}
