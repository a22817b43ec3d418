package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.diffusionrpo.bench.versus.Round.Measurement;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Compares us with libtorch and OpenBLAS. For each row the sides alternate in fresh processes, round by round, so that
 * neither profits from the other's threads and memory or from a quiet moment of the machine.
 */
@Command(name = "versus", mixinStandardHelpOptions = true, usageHelpWidth = 110,
    description = "Times our operations, networks and updates beside those of libtorch (as it comes, and tuned) and "
        + "OpenBLAS, in fresh processes by turns. Medians over the rounds, with half their range.",
    footer = {"", "Example: versus.sh --rows 'conv3x3.*backward' --rounds 3 --sides ours,tuned",
        "Example: versus.sh --sides ours,openblas 'gemm NT 1024x640x640' 'gemm TN 512x512x4096'"})
public final class Versus implements Callable<Integer> {
  @Option(names = "--rows", paramLabel = "REGEX", description = "Rows in whose name this is found (default: all).")
  private Pattern rows = Pattern.compile("");

  @Parameters(arity = "0..*", paramLabel = "ROW", description = "Names of single rows, instead of --rows; products may "
      + "have any size: gemm NN|NT|TN MxNxK.")
  private List<String> names = List.of();

  @Option(names = "--sides", split = ",", paramLabel = "SIDE", description = "Any of ours, libtorch, tuned, openblas "
      + "(default: ours,libtorch,tuned). The ratio is ours to the last.")
  private List<Side> sides = List.of(Side.OURS, Side.LIBTORCH, Side.TUNED);

  @Option(names = "--rounds", description = "Processes of each side for each row (default: ${DEFAULT-VALUE}).")
  private int rounds = 5;

  @Option(names = "--seconds", description = "Warm-up and measurement of each process, each at least one run (default: "
      + "${DEFAULT-VALUE}).")
  private double seconds = 1;

  @Option(names = "--threads", description = "Threads of each side (default: each side's own choice).")
  private int threads;

  @Option(names = "--prefix", paramLabel = "WORDS", description = "Starts each process behind this command, for example "
      + "'taskset -c 0-3'.")
  private String prefix = "";

  @Option(names = "--libtorch", paramLabel = "DIR", description = "Folder for libtorch's unpacked libraries, 480 MB "
      + "(default: ${DEFAULT-VALUE}).")
  private Path libtorch = Path.of("bench", "target", "libtorch");

  @Option(names = "--profile", description = "Compare nothing; print the time of each operation inside our side's rows.")
  private boolean profile;

  @Option(names = "--list", description = "Print the names of the rows and end.")
  private boolean list;

  private Versus() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new Versus()).setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((e, line, parsed) -> {
          line.getErr().println(e.getMessage() == null ? e.toString() : e.getMessage());
          return line.getCommandSpec().exitCodeOnExecutionException();
        }).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<Row> chosen = names.isEmpty() ? Rows.matching(rows) : names.stream().map(Rows::named).toList();
    if (list) {
      chosen.forEach(row -> System.out.println(row.name()));
      return 0;
    }
    check(chosen);
    if (profile) {
      chosen.forEach(row -> Profile.print(row, seconds));
      return 0;
    }
    List<String> words = prefix.isBlank() ? List.of() : List.of(prefix.strip().split("\\s+"));
    Round round = new Round(new Round.Options(seconds, threads, words, libtorch.toAbsolutePath()));
    Table table = new Table(sides);
    System.out.println(table.header());
    for (Row row : chosen) {
      System.out.println(table.line(row, play(round, row)));
    }
    table.footer().forEach(System.out::println);
    return 0;
  }

  private void check(List<Row> chosen) {
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException("--rows " + rows + ": no row has such a name; --list prints them");
    }
    if (rounds < 1 || !(seconds >= 0) || threads < 0) {
      throw new IllegalArgumentException("--rounds " + rounds + ", --seconds " + seconds + ", --threads " + threads
          + ": expected at least one round and no negative number");
    }
    if (sides.isEmpty() || new LinkedHashSet<>(sides).size() < sides.size()) {
      throw new IllegalArgumentException("--sides: expected different ones of ours, libtorch, tuned, openblas");
    }
  }

  private Map<Side, List<Measurement>> play(Round round, Row row) throws IOException, InterruptedException {
    Map<Side, List<Measurement>> measured = new EnumMap<>(Side.class);
    for (int i = 0; i < rounds; i++) {
      for (Side side : sides) {
        if (side.makes(row)) {
          measured.computeIfAbsent(side, none -> new ArrayList<>()).add(round.play(side, row));
        }
      }
    }
    return measured;
  }
}
