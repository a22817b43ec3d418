package org.diffusionrpo.rpo.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.kernels.cpu.Parallel;
import org.diffusionrpo.kernels.cpu.Simd;
import org.diffusionrpo.rpo.Bundled;

/** Looks at the machine; each finding says what to do if it is not as it should be. */
final class Machine {
  private static final int OLDEST_JAVA = 17;
  private static final long GIB = 1L << 30;
  /** Aligning the bundled model takes about this. */
  private static final long SMALL_HEAP = GIB;
  /** A run folder with its checkpoints. */
  private static final long SMALL_DISK = GIB;

  /** How good a finding is. */
  enum State {
    FINE("ok"), SLOW("note"), BROKEN("problem");

    private final String label;

    State(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  /** @param advice what to do; empty when there is nothing to do */
  record Finding(State state, String name, String text, String advice) {}

  private Machine() {}

  static List<Finding> examine() throws IOException {
    List<Finding> findings = new ArrayList<>(List.of(
        java(Runtime.version().feature(), System.getProperty("java.vm.name")),
        vectors(Simd.isVectorized(), Simd.description()),
        cores(Runtime.getRuntime().availableProcessors(), Parallel.threads()),
        memory(physicalMemory(), Runtime.getRuntime().maxMemory()),
        disk(Files.getFileStore(Path.of("").toAbsolutePath()).getUsableSpace()),
        model(Bundled.model()), data(Bundled.data())));
    findings.addAll(Gpu.examine(Path.of("/dev")));
    return findings;
  }

  static Finding java(int feature, String machine) {
    boolean compiles = !machine.contains("Zero") && !machine.contains("Interpreter");
    if (feature < OLDEST_JAVA || !compiles) {
      return new Finding(State.BROKEN, "java", feature + ", " + machine, compiles
          ? "install a JDK " + OLDEST_JAVA + " or newer and point JAVA_HOME to it"
          : "this Java interprets only; install a HotSpot JDK, e.g. openjdk-17-jdk");
    }
    return new Finding(State.FINE, "java", feature + ", " + machine, "");
  }

  static Finding vectors(boolean present, String description) {
    return present ? new Finding(State.FINE, "vectors", description, "")
        : new Finding(State.SLOW, "vectors", description, "everything runs 10 to 30 times slower than it could; use a "
            + "full JDK with the module jdk.incubator.vector, started by the drpo script");
  }

  static Finding cores(int available, int used) {
    String text = available + " cores, " + used + " threads";
    return used < available ? new Finding(State.SLOW, "cores", text, "-Ddrpo.threads leaves cores idle")
        : new Finding(State.FINE, "cores", text, "");
  }

  static Finding memory(long physical, long heap) {
    String text = ModelSummary.size(physical) + ", Java may use " + ModelSummary.size(heap);
    return heap < SMALL_HEAP
        ? new Finding(State.BROKEN, "memory", text, "aligning the bundled model needs about "
            + ModelSummary.size(SMALL_HEAP) + "; set it with DRPO_HEAP=2g drpo ...")
        : new Finding(State.FINE, "memory", text, "");
  }

  static Finding disk(long free) {
    String text = ModelSummary.size(free) + " free in the current folder";
    return free < SMALL_DISK ? new Finding(State.SLOW, "disk", text, "runs with checkpoints need about "
        + ModelSummary.size(SMALL_DISK) + "; make room or use --out on another disk")
        : new Finding(State.FINE, "disk", text, "");
  }

  static Finding model(Path path) {
    try {
      ModelFolder.open(path);
      return new Finding(State.FINE, "model", path.toString(), "");
    } catch (IOException e) {
      return new Finding(State.BROKEN, "model", e.getMessage(),
          "get the bundled model back from the repository, or name another with --model");
    }
  }

  static Finding data(Path path) {
    return Files.isReadable(path) ? new Finding(State.FINE, "data", path.toString(), "")
        : new Finding(State.BROKEN, "data", path + ": there is no such file",
            "get the bundled data back from the repository, or name others with --data");
  }

  static long physicalMemory() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? os.getTotalMemorySize() : 0;
  }
}
