package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.DeviceOutOfMemoryError;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.counting.CountingBackend;
import org.diffusionrpo.tensor.counting.Work;

/**
 * What a GPU gives: every operation of the comparison in every precision that the device has, its FLOP/s beside those
 * of the largest product, its bytes per second beside those of a copy; then updates of Diffusion-RPO.
 */
public final class GpuReport {
  private static final double SECONDS = 0.5;
  private static final int PEAK = 8192;
  private static final int COPIED_FLOATS = 1 << 26;
  private static final int PAIRS = 4;
  /** Of the images of operations that are bound by memory: the UNet's first level. */
  private static final int SIDE = 64;
  private static final int CHANNELS = 320;

  private final PrintStream out;
  private final String device;
  private final double seconds;
  private Backend backend;
  private Precision opened;

  /** @param seconds of warm-up and of measurement of each row */
  GpuReport(PrintStream out, String device, double seconds) {
    this.out = out;
    this.device = device;
    this.seconds = seconds;
  }

  /** Argument: the device, {@code cuda} unless given. */
  public static void main(String[] args) throws IOException {
    new GpuReport(System.out, args.length > 0 ? args[0] : "cuda", SECONDS).print(Pattern.compile(""), PEAK,
        COPIED_FLOATS, true);
  }

  /**
   * @param rows which rows, by name
   * @param peak side of the square product that stands for the device's best
   * @param copied floats of the copy that stands for its memory
   * @param fullSize also updates of Stable Diffusion 1.5's size, which need about 15 GB
   */
  void print(Pattern rows, int peak, int copied, boolean fullSize) {
    for (Precision precision : Precision.values()) {
      try {
        open(precision, out::println);
        print(rows, peak, copied);
        if (fullSize) {
          printStableDiffusion15();
        }
      } catch (IllegalArgumentException e) { // e.g. no bf16 on Turing
        out.println(e.getMessage());
      } finally {
        close();
      }
      out.println();
    }
  }

  private void open(Precision precision, Consumer<String> say) {
    backend = Backends.open(device, precision.name().toLowerCase(Locale.ROOT), say);
    opened = precision;
  }

  private void close() {
    if (backend != null) {
      backend.close();
      backend = null;
    }
  }

  private void print(Pattern rows, int peak, int copied) {
    Row.Gemm largest = new Row.Gemm(Form.NT, peak, peak, peak);
    double flops = largest.operations() / measured(largest.name(), () -> time(largest));
    double bytes = 2.0 * Float.BYTES * copied / measured("copy", () -> copyTime(copied));
    out.printf(Locale.ROOT, "copy %.1f GB/s, cuBLAS %s %.2f TFLOP/s%n", bytes * 1e-9, largest.name(), flops * 1e-12);
    out.printf(Locale.ROOT, "%-52s %10s %10s %7s %10s %7s%n", "row", "ms", "TFLOP/s", "of peak", "GB/s", "of copy");
    for (Row row : Rows.matching(rows)) {
      double time = measured(row.name(), () -> time(row));
      if (!Double.isNaN(time)) {
        print(row, time, flops, bytes);
      }
    }
    MovingOperations.of(SIDE, CHANNELS).forEach((name, prepare) -> {
      if (rows.matcher(name).find()) {
        double time = measured(name, () -> time(() -> prepare.apply(backend), 1, 1));
        if (!Double.isNaN(time)) {
          out.println(moving(name, time, moved(prepare), bytes));
        }
      }
    });
  }

  /** An update of a few pairs, each on its own, and what it means for the recipe's large batches. */
  private void printStableDiffusion15() {
    String name = "rpo step sd15 " + PAIRS + " pairs, one at a time";
    double time = measured(name, () -> time(() -> OurNetworks.stableDiffusion15Step(backend, PAIRS), 1, 2));
    if (!Double.isNaN(time)) {
      out.printf(Locale.ROOT, "%-52s %10.3f   %.2f s per pair%n", name, time * 1e3, time / PAIRS);
    }
  }

  /**
   * Seconds, or NaN where the measurement failed, which is printed in its row. The device starts again then: it keeps
   * nothing of what failed, and after some errors no call works before.
   */
  private double measured(String name, DoubleSupplier measurement) {
    try {
      return measurement.getAsDouble();
    } catch (CudaException | DeviceOutOfMemoryError e) {
      out.printf(Locale.ROOT, "%-52s %s%n", name, e.getMessage());
      close();
      open(opened, line -> {});
      return Double.NaN;
    }
  }

  private void print(Row row, double time, double peak, double copy) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-52s %10.3f", row.name(), time * 1e3));
    if (row.operations() > 0) {
      double rate = row.operations() / time;
      line.append(String.format(Locale.ROOT, " %10.2f %5.1f %%", rate * 1e-12, 100 * rate / peak));
    } else if (!row.isWholeNetwork()) {
      out.println(moving(row.name(), time, moved(counting -> row.prepare(new OurWorker(counting))), copy));
      return;
    }
    out.println(line);
  }

  private static String moving(String name, double time, double moved, double copy) {
    double rate = moved / time;
    return String.format(Locale.ROOT, "%-52s %10.3f %10s %7s %10.1f %5.1f %%", name, time * 1e3, "", "", rate * 1e-9,
        100 * rate / copy);
  }

  /** Bytes that the operations read and write at least. */
  private static double moved(Function<Backend, Runnable> prepare) {
    CountingBackend counting = new CountingBackend();
    Runnable run = prepare.apply(counting);
    counting.takeWork();
    run.run();
    Work work = counting.takeWork();
    return work.bytes();
  }

  private double time(Row row) {
    return time(() -> row.prepare(new OurWorker(backend)), row.isWholeNetwork() ? Contestant.NETWORK_WARM_UP_RUNS : 1,
        1);
  }

  private double copyTime(int floats) {
    return time(() -> {
      Tensor x = backend.zeros(Shape.of(floats));
      Tensor y = backend.empty(x.shape());
      return () -> backend.copy(y, x);
    }, 1, 1);
  }

  /** Median seconds of what {@code prepare} makes, with at least so many runs of each kind. */
  private double time(Supplier<Runnable> prepare, int warmUpRuns, int runs) {
    try (MemoryScope scope = backend.scope()) {
      Runnable prepared = prepare.get();
      Runnable run = () -> {
        prepared.run();
        backend.synchronize();
      };
      Contestant.repeat(run, seconds, warmUpRuns);
      return Statistics.median(Contestant.repeat(run, seconds, runs));
    }
  }
}
