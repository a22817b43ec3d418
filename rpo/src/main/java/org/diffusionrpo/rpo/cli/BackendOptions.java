package org.diffusionrpo.rpo.cli;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Where a command computes, and in which number format. */
class BackendOptions {
  @Spec(Spec.Target.MIXEE) private CommandSpec spec;

  @Option(names = "--backend", description = "auto (a GPU if there is one), cpu, cuda or cuda:N (default: "
      + "${DEFAULT-VALUE}).")
  private String backend = "auto";

  @Option(names = "--precision", paramLabel = "FORMAT", description = "Of matrix products, convolutions and attention on "
      + "a GPU: fp32, tf32, bf16 or fp16 (default: ${DEFAULT-VALUE}).")
  private String precision = "fp32";

  /** Says on standard error what was taken. */
  Backend open() {
    return open(false);
  }

  /** @param graphs see {@link Backends#open(String, String, boolean, java.util.function.Consumer)} */
  final Backend open(boolean graphs) {
    return Backends.open(backend, precision, graphs, line -> {
      spec.commandLine().getErr().println(line);
      spec.commandLine().getErr().flush();
    });
  }
}
