package org.diffusionrpo.kernels.cuda;

import java.util.HashMap;
import java.util.Map;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Convolutions by cuDNN in the device's precision. Plans are kept per direction and sizes. In 16 bits cuDNN writes
 * results of 16 bits (its sums are fp32), which are widened here. Methods return false for what cuDNN does not support.
 */
final class CudnnConvolution {
  private static final Logger LOG = LoggerFactory.getLogger(CudnnConvolution.class);

  private final CudaDevice device;
  private final Rounding rounding;
  private final Convert convert;
  private final Elementwise elementwise;
  private final Map<Key, CudnnPlan> plans = new HashMap<>();

  private record Key(CudnnPlan.Direction direction, Geometry geometry) {}

  CudnnConvolution(CudaDevice device) {
    this.device = device;
    this.rounding = new Rounding(device);
    this.convert = new Convert(device);
    this.elementwise = new Elementwise(device);
  }

  boolean forward(DeviceBuffer y, DeviceBuffer x, Operand w, Geometry g) {
    return run(CudnnPlan.Direction.FORWARD, g, y, outputs(g), Operand.f32(x), inputs(g), w, weights(g));
  }

  boolean backwardData(DeviceBuffer dx, DeviceBuffer dy, Operand w, Geometry g) {
    return run(CudnnPlan.Direction.BACKWARD_DATA, g, dx, inputs(g), Operand.f32(dy), outputs(g), w, weights(g));
  }

  boolean backwardFilter(DeviceBuffer dw, DeviceBuffer dy, DeviceBuffer x, Geometry g) {
    return run(CudnnPlan.Direction.BACKWARD_FILTER, g, dw, weights(g), Operand.f32(dy), outputs(g), Operand.f32(x),
        inputs(g));
  }

  /** Null for what cuDNN does not do. */
  private CudnnPlan plan(CudnnPlan.Direction direction, Geometry g) {
    if (g.padTop() != g.padBottom() || g.padLeft() != g.padRight()) {
      return null; // it has one padding for both sides
    }
    CudnnPlan plan = plans.computeIfAbsent(new Key(direction, g), key -> {
      CudnnPlan made = new CudnnPlan(device, direction, g, rounding.format());
      device.own(made::close);
      if (!made.isSupported()) {
        warn(direction, g);
      }
      return made;
    });
    return plan.isSupported() ? plan : null;
  }

  /** Once for each: a network of such convolutions is many times slower. */
  private void warn(CudnnPlan.Direction direction, Geometry g) {
    LOG.warn("cuDNN has no algorithm for {} of {} in {}: windows are gathered and multiplied", direction, g,
        device.options().precision());
  }

  private boolean run(CudnnPlan.Direction direction, Geometry g, DeviceBuffer out, long outSize, Operand a, long aSize,
      Operand b, long bSize) {
    CudnnPlan plan = plan(direction, g);
    if (plan == null) {
      return false;
    }
    boolean done = run(plan, out, outSize, a, aSize, b, bSize, direction == CudnnPlan.Direction.BACKWARD_FILTER);
    if (!done) {
      warn(direction, g);
    }
    return done;
  }

  private boolean run(CudnnPlan plan, DeviceBuffer out, long outSize, Operand a, long aSize, Operand b, long bSize,
      boolean add) {
    Format format = rounding.format();
    try (Rounded left = rounding.round(a, aSize); Rounded right = rounding.round(b, bSize)) {
      if (format == Format.F32) {
        return plan.run(out, left.buffer(), right.buffer(), add ? 1 : 0);
      }
      try (DeviceBuffer half = device.memory().take(outSize * format.bytes())) {
        if (!plan.run(half, left.buffer(), right.buffer(), 0)) {
          return false;
        }
        if (add) {
          try (DeviceBuffer wide = device.memory().take(outSize * Float.BYTES)) {
            widen(wide, half, outSize, left, right);
            elementwise.addTo(out, wide, outSize);
          }
        } else {
          widen(out, half, outSize, left, right);
        }
        return true;
      }
    }
  }

  private void widen(DeviceBuffer y, DeviceBuffer half, long n, Rounded left, Rounded right) {
    if (rounding.format() == Format.BF16) {
      convert.fromBf16(y, half, n);
    } else {
      convert.fromF16(y, half, left.scale(), right.scale(), n);
    }
  }

  private static long inputs(Geometry g) {
    return (long) g.batch() * g.height() * g.width() * g.inChannels();
  }

  private static long outputs(Geometry g) {
    return (long) g.batch() * g.outHeight() * g.outWidth() * g.outChannels();
  }

  private static long weights(Geometry g) {
    return (long) g.outChannels() * g.kernelHeight() * g.kernelWidth() * g.inChannels();
  }
}
