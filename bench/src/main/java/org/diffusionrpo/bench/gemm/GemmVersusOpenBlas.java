package org.diffusionrpo.bench.gemm;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Compares our matrix product with OpenBLAS's on all cores and prints medians, rates and ratios.
 *
 * <p>The two sides alternate in fresh processes, so that neither profits from the other's threads or a quiet moment of
 * the machine. Variables that choose OpenBLAS's kernels or its number of threads are taken out of the environment,
 * since a leftover one makes it slow. Both sides get the same JVM flags, those of this process.
 *
 * <pre>
 * mvn -q -pl bench -am package, then
 * java -cp ... --add-modules jdk.incubator.vector -XX:+UseParallelGC -XX:+UseTransparentHugePages \
 *     org.diffusionrpo.bench.gemm.GemmVersusOpenBlas [rounds] [secondsPerShape] [NN|NT|TN] [MxNxK ...]
 * </pre>
 */
public final class GemmVersusOpenBlas {
  private static final List<String> OPENBLAS_SETTINGS = List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE",
      "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS");

  private final double seconds;
  private final Form form;
  private final List<GemmShape> shapes;
  /** Seconds by contender, shape and round. */
  private final Map<Contender, List<List<Double>>> times = new EnumMap<>(Contender.class);

  private GemmVersusOpenBlas(double seconds, Form form, List<GemmShape> shapes) {
    this.seconds = seconds;
    this.form = form;
    this.shapes = shapes;
    for (Contender contender : Contender.values()) {
      List<List<Double>> perShape = new ArrayList<>();
      shapes.forEach(shape -> perShape.add(new ArrayList<>()));
      times.put(contender, perShape);
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 1;
    Form form = args.length > 2 ? Form.valueOf(args[2]) : Form.NT;
    List<GemmShape> shapes = args.length > 3
        ? List.of(args).subList(3, args.length).stream().map(GemmShape::parse).toList()
        : GemmShape.STABLE_DIFFUSION;
    GemmVersusOpenBlas contest = new GemmVersusOpenBlas(seconds, form, shapes);
    for (int round = 0; round < rounds; round++) {
      for (Contender contender : Contender.values()) {
        contest.play(contender);
      }
    }
    contest.print();
  }

  private void play(Contender contender) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), GemmContestant.class.getName(),
        contender.name(), form.name(), Double.toString(seconds)));
    shapes.forEach(shape -> command.add(shape.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    OPENBLAS_SETTINGS.forEach(builder.environment()::remove);
    Process process = builder.start();
    try (BufferedReader lines = new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (int i = 0; i < shapes.size(); i++) {
        String line = lines.readLine();
        if (line == null) {
          throw new IOException(contender + " ended before " + shapes.get(i));
        }
        times.get(contender).get(i).add(Double.parseDouble(line.split(" ")[1]));
      }
    }
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(contender + " ended with status " + status);
    }
  }

  private void print() {
    System.out.printf("%-18s %12s %12s %8s   (%s, medians)%n", "M x N x K", "ours", "OpenBLAS", "ratio", form);
    double logs = 0;
    for (int i = 0; i < shapes.size(); i++) {
      double ours = rate(Contender.OURS, i);
      double theirs = rate(Contender.OPENBLAS, i);
      logs += Math.log(ours / theirs);
      System.out.printf(Locale.ROOT, "%-18s %5.0f GFLOP/s %5.0f GFLOP/s %7.3f%n", shapes.get(i), ours, theirs,
          ours / theirs);
    }
    System.out.printf(Locale.ROOT, "geometric mean of the ratios %.3f%n", Math.exp(logs / shapes.size()));
  }

  private double rate(Contender contender, int shape) {
    double[] seconds = times.get(contender).get(shape).stream().mapToDouble(Double::doubleValue).toArray();
    return shapes.get(shape).operations() / GemmContestant.median(seconds) * 1e-9;
  }
}
