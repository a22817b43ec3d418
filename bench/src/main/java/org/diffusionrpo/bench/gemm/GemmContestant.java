package org.diffusionrpo.bench.gemm;

import java.util.Arrays;

/** The child process of {@link GemmVersusOpenBlas}: times one side and prints one {@code shape seconds} per line. */
final class GemmContestant {
  private GemmContestant() {}

  /** Arguments: contender, form, seconds per shape, then the shapes. */
  public static void main(String[] args) {
    Contender contender = Contender.valueOf(args[0]);
    Form form = Form.valueOf(args[1]);
    double seconds = Double.parseDouble(args[2]);
    for (String text : Arrays.asList(args).subList(3, args.length)) {
      Runnable product = contender.prepare(GemmShape.parse(text), form);
      repeat(product, seconds); // warm-up: compiles, fills caches, starts threads
      System.out.println(text + " " + median(repeat(product, seconds)));
    }
  }

  private static double[] repeat(Runnable product, double seconds) {
    double[] times = new double[16];
    int count = 0;
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      if (count == times.length) {
        times = Arrays.copyOf(times, 2 * count);
      }
      long start = System.nanoTime();
      product.run();
      times[count++] = (System.nanoTime() - start) * 1e-9;
    } while (System.nanoTime() < end);
    return Arrays.copyOf(times, count);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
