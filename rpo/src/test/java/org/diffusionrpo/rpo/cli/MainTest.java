package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandExplainsItselfWithExamples(String name) {
    CliRun help = CliRun.of((Object[]) (name + " --help").split(" ")).assertDone();
    assertTrue(help.out().contains("Usage: drpo " + name) && help.out().contains("Example"), help.out());
    assertTrue(help.out().contains("  drpo " + name), help.out());
  }

  /** At every depth: {@code data} and also {@code data info}. */
  static Stream<String> commands() {
    return below(new CommandLine(new Main()), "");
  }

  private static Stream<String> below(CommandLine command, String path) {
    return command.getSubcommands().entrySet().stream().flatMap(sub -> Stream.concat(
        Stream.of(path + sub.getKey()), below(sub.getValue(), path + sub.getKey() + " ")));
  }

  @Test
  void whatCanRunOnAGpuTakesItsNumberFormat() {
    List<String> withBackend = optionOwners("--backend");
    assertTrue(withBackend.containsAll(List.of("align", "generate", "compare", "evaluate", "encode", "plan",
        "lora merge", "pretrain vae", "pretrain clip", "pretrain unet")), withBackend.toString());
    assertEquals(withBackend, optionOwners("--precision"));
  }

  private static List<String> optionOwners(String option) {
    return commands().filter(name -> {
      CommandLine command = new CommandLine(new Main());
      for (String word : name.split(" ")) {
        command = command.getSubcommands().get(word);
      }
      return command.getCommandSpec().findOption(option) != null;
    }).toList();
  }

  @Test
  void noCommandShowsTheCommands() {
    assertTrue(CliRun.of().assertDone().out().contains("generate"));
  }

  @Test
  void versionNamesProgramAndJava() {
    String out = CliRun.of("--version").assertDone().out();
    assertTrue(out.startsWith("drpo ") && out.contains("Java " + System.getProperty("java.runtime.version")), out);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "genrate x            | unknown command 'genrate'; did you mean generate?",
      "generate --stps 3 x  | unknown option '--stps'; did you mean --steps",
      "generate --steps x y | 'x' is not an int",
      "generate --seed      | --seed",
      "info a b             | unknown argument 'b'",
      "doctor now           | unknown argument 'now'"})
  void wrongUsageIsOneLineThatPointsToTheHelp(String line, String fault) {
    CliRun.of((Object[]) line.split(" +")).assertRefused(fault, "--help");
  }

  /** Fails in the way it is told. */
  @Command(name = "fail")
  private static final class Failing implements Callable<Integer> {
    private final Exception exception;

    Failing(Exception exception) {
      this.exception = exception;
    }

    @Override
    public Integer call() throws Exception {
      throw exception;
    }
  }

  @Test
  void badInputIsOneLineAndExitCodeTwo() {
    fail(new IOException("model.safetensors: is\n damaged")).assertRefused("drpo fail: model.safetensors: is damaged");
    fail(new IllegalArgumentException("--lr -1: expected more")).assertRefused("drpo fail: --lr -1: expected more");
    fail(new NoSuchFileException("prompts.txt")).assertRefused("prompts.txt: there is no such file");
    fail(new UncheckedIOException(new IOException("disk full"))).assertRefused("drpo fail: disk full");
  }

  @Test
  void faultOfTheProgramIsExitCodeOneAndItsTraceOnlyVerbose() {
    CliRun quiet = fail(new ArrayIndexOutOfBoundsException("Index 3"));
    assertEquals(1, quiet.code());
    assertEquals(1, quiet.err().lines().count(), quiet.err());
    assertTrue(quiet.err().contains("internal error: ArrayIndexOutOfBoundsException: Index 3"), quiet.err());
    assertFalse(quiet.err().contains("\tat "), quiet.err());
    assertTrue(fail(new ArrayIndexOutOfBoundsException("Index 3"), "--verbose").err().contains("\tat "));
  }

  private static CliRun fail(Exception exception, String... options) {
    StringWriter err = new StringWriter();
    CommandLine line = Main.commandLine(new Main(), new PrintWriter(new StringWriter()), new PrintWriter(err));
    line.addSubcommand(new CommandLine(new Failing(exception))
        .setErr(line.getErr()).setExecutionExceptionHandler(line.getExecutionExceptionHandler()));
    String[] words = Arrays.copyOf(options, options.length + 1);
    words[options.length] = "fail";
    int code = line.execute(words);
    return new CliRun(code, "", err.toString());
  }
}
