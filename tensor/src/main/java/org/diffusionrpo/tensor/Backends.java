package org.diffusionrpo.tensor;

import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.CudaLibraries;
import org.diffusionrpo.kernels.cuda.CudaOptions;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.cuda.CudaBackend;

/** Opens a backend by the name a user gives. */
public final class Backends {
  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

  private Backends() {}

  /** The same in fp32, in silence. */
  public static Backend open(String name) {
    return open(name, "fp32", reason -> {});
  }

  /**
   * Opens {@code cpu}, {@code cuda} (the first GPU), {@code cuda:N}, or {@code auto}: the first GPU where driver,
   * libraries and device are there, else the CPU. A name that is not available fails; only auto chooses.
   *
   * @param precision fp32, or on a GPU tf32, bf16 or fp16: the format of matrix products, convolutions and attention
   * @param say gets one line on the GPU that was taken, or on why auto took none
   * @throws IllegalArgumentException that says what to do
   */
  public static Backend open(String name, String precision, Consumer<String> say) {
    Precision format = precision(precision);
    Matcher cuda = CUDA.matcher(name);
    if (cuda.matches()) {
      int device = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
      try {
        return Gpu.open(device, format, say);
      } catch (CudaException e) {
        throw new IllegalArgumentException("--backend " + name + ": " + e.getMessage(), e);
      }
    }
    return switch (name) {
      case "cpu" -> cpu(format, "--backend cpu", reason -> {});
      case "auto" -> auto(format, say);
      default -> throw new IllegalArgumentException("--backend " + name + ": expected auto, cpu, cuda or cuda:N");
    };
  }

  private static Precision precision(String name) {
    for (Precision precision : Precision.values()) {
      if (precision.name().toLowerCase(Locale.ROOT).equals(name)) {
        return precision;
      }
    }
    throw new IllegalArgumentException("--precision " + name + ": expected fp32, tf32, bf16 or fp16");
  }

  private static Backend auto(Precision precision, Consumer<String> say) {
    if (!CudaLibraries.hasDriver()) {
      return cpu(precision, "no NVIDIA driver", say);
    }
    try {
      return Gpu.open(0, precision, say);
    } catch (CudaException e) {
      return cpu(precision, e.getMessage(), say);
    }
  }

  private static Backend cpu(Precision precision, String reason, Consumer<String> say) {
    if (precision != Precision.FP32) {
      throw new IllegalArgumentException("--precision " + precision.name().toLowerCase(Locale.ROOT)
          + ": only a GPU computes in it, the CPU in fp32 (" + reason + ")");
    }
    say.accept("Running on the CPU: " + reason);
    return new CpuBackend();
  }

  /** A class of its own, so that a machine without a GPU never loads a class of JCuda. */
  private static final class Gpu {
    static Backend open(int device, Precision precision, Consumer<String> say) {
      CudaBackend backend = new CudaBackend(CudaOptions.DEFAULT.withDevice(device).withPrecision(precision));
      say.accept("Running on the GPU: " + backend.describe());
      return backend;
    }
  }
}
