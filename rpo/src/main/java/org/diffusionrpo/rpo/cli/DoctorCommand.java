package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code drpo doctor}: whether this machine is fit, and what to do where it is not. */
@Command(name = "doctor", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    description = "Check this machine: Java, vector support, cores, memory, disk, GPU. Exit code 1 on a problem.",
    footer = {"", "Example:", "  drpo doctor"})
final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<Machine.Finding> findings = Machine.examine();
    for (Machine.Finding finding : findings) {
      out.printf("%-8s %-8s %s%n", finding.state().label(), finding.name(), finding.text());
      if (!finding.advice().isEmpty()) {
        out.printf("%-8s %-8s -> %s%n", "", "", finding.advice());
      }
    }
    boolean broken = findings.stream().anyMatch(finding -> finding.state() == Machine.State.BROKEN);
    return broken ? Errors.FAILURE : 0;
  }
}
