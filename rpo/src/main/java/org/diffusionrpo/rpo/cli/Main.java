package org.diffusionrpo.rpo.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program {@code drpo}. Exit codes: 0 done, 1 failure, 2 bad input, 130 interrupted. */
@Command(name = "drpo", mixinStandardHelpOptions = true, versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND", usageHelpWidth = 110,
    description = "Preference alignment of text-to-image diffusion models, in pure Java.",
    footer = {"", "Each command explains itself with examples: drpo COMMAND --help"},
    subcommands = {AlignCommand.class, PlanCommand.class, EncodeCommand.class, GenerateCommand.class,
        CompareCommand.class, EvaluateCommand.class, LoraCommand.class, DataCommand.class, PretrainCommand.class, InfoCommand.class,
        DoctorCommand.class})
public final class Main implements Runnable {
  static {
    System.setProperty("java.awt.headless", "true");
  }

  @Spec private CommandSpec spec;

  private boolean verbose = System.getenv("DRPO_VERBOSE") != null;

  @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show log messages, and where an error arose.")
  void setVerbose(boolean wish) {
    verbose |= wish;
    if (verbose) {
      System.setProperty("drpo.log", "INFO"); // read by logback.xml when the first logger is made
    }
  }

  public static void main(String[] args) {
    Interruption.install();
    Interruption.exit(run(new PrintWriter(System.out, true), new PrintWriter(System.err, true), args));
  }

  /** The whole program but for its end; returns the exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Main main = new Main();
    try {
      return commandLine(main, out, err).execute(args);
    } catch (Error e) {
      return Errors.onError(e, err, main.verbose);
    }
  }

  /** The program with its output redirected. */
  static CommandLine commandLine(Main main, PrintWriter out, PrintWriter err) {
    return new CommandLine(main).setOut(out).setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Errors::onParameters)
        .setExecutionExceptionHandler(Errors::onExecution);
  }

  boolean isVerbose() {
    return verbose;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
