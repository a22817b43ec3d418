package org.diffusionrpo.bench.jmh;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.bench.jmh.JmhResults.Score;

/**
 * Sets two runs of JMH beside each other: before, after and their ratio. Only a change larger than both errors together
 * is called one.
 * <pre>
 * java -cp ... org.openjdk.jmh.Main NormBenchmark -rf json -rff before.json, the same after the change, then
 * java -cp ... org.diffusionrpo.bench.jmh.CompareJmh before.json after.json
 * </pre>
 */
public final class CompareJmh {
  private static final String SAME = "";
  private static final String ABSENT = "-";

  private CompareJmh() {}

  /** Arguments: the file before, the file after. Exit code 2 for files that cannot be compared. */
  public static void main(String[] args) {
    if (args.length != 2) {
      System.err.println("usage: CompareJmh BEFORE.json AFTER.json (of JMH's -rf json)");
      System.exit(2);
    }
    try {
      compare(Path.of(args[0]), Path.of(args[1]), System.out);
    } catch (NoSuchFileException e) {
      System.err.println(e.getFile() + ": " + e.getReason());
      System.exit(2);
    } catch (IOException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  static void compare(Path before, Path after, PrintStream out) throws IOException {
    Map<String, Score> old = JmhResults.read(before);
    Map<String, Score> fresh = JmhResults.read(after);
    Map<String, Score> all = new LinkedHashMap<>(old);
    fresh.forEach(all::putIfAbsent);
    int width = all.keySet().stream().mapToInt(String::length).max().orElseThrow();
    String format = "%-" + width + "s %20s %20s  %-8s %7s  %s";
    out.println(String.format(format, "benchmark", "before", "after", "unit", "ratio", "").stripTrailing());
    for (String name : all.keySet()) {
      Score a = old.get(name);
      Score b = fresh.get(name);
      if (a != null && b != null && !a.unit().equals(b.unit())) {
        throw new IOException(name + ": before in " + a.unit() + ", after in " + b.unit());
      }
      String ratio = a == null || b == null ? ABSENT : String.format(Locale.ROOT, "%.3f", b.value() / a.value());
      out.println(String.format(format, name, text(a), text(b), all.get(name).unit(), ratio, verdict(a, b))
          .stripTrailing());
    }
  }

  private static String text(Score score) {
    return score == null ? ABSENT : String.format(Locale.ROOT, "%.3f ±%.3f", score.value(), score.error());
  }

  /** Scores are times per call or rates, by their unit. */
  private static String verdict(Score before, Score after) {
    if (before == null || after == null) {
      return before == null ? "only after" : "only before";
    }
    double change = after.value() - before.value();
    if (Double.isNaN(before.error()) || Double.isNaN(after.error())) {
      return "error unknown";
    }
    if (!(Math.abs(change) > before.error() + after.error())) {
      return SAME;
    }
    boolean isTime = before.unit().endsWith("/op");
    return isTime == change < 0 ? "faster" : "slower";
  }
}
