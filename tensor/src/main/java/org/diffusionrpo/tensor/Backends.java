package org.diffusionrpo.tensor;

import org.diffusionrpo.tensor.cpu.CpuBackend;

/** Opens a backend by the name a user gives. */
public final class Backends {
  private Backends() {}

  /** {@code auto} takes the best device of this machine; a name that is not available fails, there is no fallback. */
  public static Backend open(String name) {
    return switch (name) {
      case "cpu", "auto" -> new CpuBackend();
      default -> throw new IllegalArgumentException("--backend " + name + ": expected auto or cpu");
    };
  }
}
