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

  /** The same without graphs. */
  public static Backend open(String name, String precision, Consumer<String> say) {
    return open(name, precision, false, say);
  }

  /**
   * Opens {@code cpu}, {@code cuda} (the first GPU), {@code cuda:N}, or {@code auto}: the first GPU where driver,
   * libraries and device are there, else the CPU. A name that is not available fails; only auto chooses.
   *
   * @param precision fp32, or on a GPU tf32, bf16 or fp16: the format of matrix products, convolutions and attention
   * @param graphs a GPU records what is repeated ({@link Backend#record}) as CUDA graphs; a CPU has nothing to gain
   * @param say gets one line on the GPU that was taken, or on why auto took none
   * @throws IllegalArgumentException that says what to do
   */
  public static Backend open(String name, String precision, boolean graphs, Consumer<String> say) {
    CudaOptions options = CudaOptions.DEFAULT.withPrecision(precision(precision)).withGraphs(graphs);
    Matcher cuda = CUDA.matcher(name);
    if (cuda.matches()) {
      int device = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
      try {
        return Gpu.open(options.withDevice(device), say);
      } catch (CudaException e) {
        throw new IllegalArgumentException("--backend " + name + ": " + e.getMessage(), e);
      }
    }
    return switch (name) {
      case "cpu" -> cpu(options.precision(), "--backend cpu", reason -> {});
      case "auto" -> auto(options, say);
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

  private static Backend auto(CudaOptions options, Consumer<String> say) {
    if (!CudaLibraries.hasDriver()) {
      return cpu(options.precision(), "no NVIDIA driver", say);
    }
    try {
      return Gpu.open(options, say);
    } catch (CudaException e) {
      return cpu(options.precision(), e.getMessage(), say);
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
    static Backend open(CudaOptions options, Consumer<String> say) {
      CudaBackend backend = new CudaBackend(options);
      say.accept("Running on the GPU: " + backend.describe());
      return backend;
    }
  }
}
