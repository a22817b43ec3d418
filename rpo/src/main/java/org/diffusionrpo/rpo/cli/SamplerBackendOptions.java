package org.diffusionrpo.rpo.cli;

import org.diffusionrpo.tensor.Backend;
import picocli.CommandLine.Option;

/** Where a command that draws pictures computes. */
final class SamplerBackendOptions extends BackendOptions {
  @Option(names = "--graphs", description = "On a GPU, record the UNet's kernels at the second step of a batch and launch "
      + "them as one CUDA graph from then on: the same pictures, and less to do for the CPU; no effect on the CPU itself.")
  private boolean graphs;

  @Override
  Backend open() {
    return open(graphs);
  }
}
