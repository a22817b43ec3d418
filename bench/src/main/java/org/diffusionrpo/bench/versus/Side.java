package org.diffusionrpo.bench.versus;

import org.diffusionrpo.tensor.cpu.CpuBackend;

/** Who is compared. */
enum Side {
  OURS("ours"),
  /** As it comes: no variable and no option set. */
  LIBTORCH("libtorch"),
  /** libtorch at its best: freed memory is kept, and every CPU gets the kernels of its instruction set. */
  TUNED("tuned"),
  /** Matrix products alone. */
  OPENBLAS("OpenBLAS");

  private static final String LIBTORCH_WORKER = "org.diffusionrpo.bench.versus.LibtorchWorker";

  private final String label;

  Side(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  boolean isLibtorch() {
    return this == LIBTORCH || this == TUNED;
  }

  /** libtorch has no activation checkpointing outside Python. */
  boolean makes(Row row) {
    return switch (this) {
      case OURS -> true;
      case LIBTORCH, TUNED -> !(row instanceof Row.UNet unet && unet.checkpointing());
      case OPENBLAS -> row instanceof Row.Gemm;
    };
  }

  /** Called in the side's own process. */
  Worker worker() {
    return switch (this) {
      case OURS -> new OurWorker(new CpuBackend());
      case OPENBLAS -> new OpenBlasWorker();
      case LIBTORCH, TUNED -> libtorchWorker();
    };
  }

  /** By name, since it is compiled in the Maven profile alone that fetches libtorch. */
  private static Worker libtorchWorker() {
    try {
      return (Worker) Class.forName(LIBTORCH_WORKER).getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("libtorch: not built; build with -Poracle", e);
    }
  }
}
