package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.diffusionrpo.diffusion.train.DivergedException;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.DeviceOutOfMemoryError;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns every failure into one line on standard error and an exit code. */
final class Errors {
  /** Bad input: an option, a file, a model that does not fit. */
  static final int BAD_INPUT = 2;
  /** A fault of this program or of the machine. */
  static final int FAILURE = 1;

  private Errors() {}

  static int onParameters(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    print(command,
        (e instanceof UnmatchedArgumentException unmatched ? unknown(unmatched) : e.getMessage())
            + " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return BAD_INPUT;
  }

  static int onExecution(Exception e, CommandLine command, ParseResult result) {
    boolean verbose = ((Main) command.getCommandSpec().root().userObject()).isVerbose();
    boolean expected = isExpected(e);
    print(command, (expected ? "" : "internal error: ") + message(e)
        + (expected || verbose ? "" : " (--verbose shows where; please report it)"));
    if (verbose) {
      e.printStackTrace(command.getErr());
      command.getErr().flush();
    }
    return expected && !(e instanceof CudaException) ? BAD_INPUT : FAILURE;
  }

  /** For failures outside of picocli's reach, such as too little memory. */
  static int onError(Throwable e, PrintWriter err, boolean verbose) {
    err.println("drpo: " + (e instanceof OutOfMemoryError error ? outOfMemory(error)
        : "internal error: " + message(e)));
    if (verbose) {
      e.printStackTrace(err);
    }
    err.flush();
    return FAILURE;
  }

  private static String outOfMemory(OutOfMemoryError e) {
    boolean device = e instanceof DeviceOutOfMemoryError;
    return (device ? "out of GPU memory (" : "out of memory (") + e.getMessage() + "); drpo plan with the options of align "
        + "says what takes it and which of --micro-batch, --gradient-checkpointing, --storage, --optimizer adafactor and "
        + "--lora make it fit" + (device ? "" : "; or give Java more, e.g. DRPO_HEAP=12g drpo ...");
  }

  private static String unknown(UnmatchedArgumentException e) {
    String argument = e.getUnmatched().get(0);
    boolean takesCommands = !e.getCommandLine().getSubcommands().isEmpty();
    String kind = argument.startsWith("-") ? "option" : takesCommands ? "command" : "argument";
    return "unknown " + kind + " '" + argument + "'" + (e.getSuggestions().isEmpty() ? ""
        : "; did you mean " + e.getSuggestions().get(0) + "?");
  }

  private static void print(CommandLine command, String message) {
    command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message.replaceAll("\\s*\\R\\s*", " "));
    command.getErr().flush();
  }

  /** Says what is wrong where the platform's exceptions carry only a path. */
  private static String message(Throwable e) {
    if (e instanceof UncheckedIOException unchecked) {
      return message(unchecked.getCause());
    }
    String text = e.getMessage();
    if (text == null) {
      return e.getClass().getSimpleName();
    }
    if (e instanceof FileSystemException fault && text.equals(fault.getFile())) {
      return text + ": " + fault(fault);
    }
    boolean speaksForItself = isExpected(e) || e instanceof IllegalStateException;
    return speaksForItself ? text : e.getClass().getSimpleName() + ": " + text;
  }

  private static String fault(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    return e instanceof AccessDeniedException ? "no permission" : e.getClass().getSimpleName();
  }

  private static boolean isExpected(Throwable e) {
    return e instanceof IOException || e instanceof UncheckedIOException || e instanceof IllegalArgumentException
        || e instanceof DivergedException || e instanceof CudaException;
  }
}
