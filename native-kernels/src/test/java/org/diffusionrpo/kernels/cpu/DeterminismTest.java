package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The number of threads is fixed when a JVM starts, so each number gets its own. */
class DeterminismTest {
  @Test
  void resultsDoNotDependOnTheNumberOfThreads() throws IOException, InterruptedException {
    String here = hashes();
    assertEquals(here, hashes(), "same JVM, second time");
    assertEquals(here, child("1"), "one thread");
    assertEquals(here, child("5"), "five threads");
  }

  /** Runs {@link #main} with that many threads. */
  private static String child(String threads) throws IOException, InterruptedException {
    List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--add-modules=jdk.incubator.vector", "-Ddrpo.threads=" + threads,
        "-cp", System.getProperty("java.class.path"), DeterminismTest.class.getName());
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.strip();
  }

  public static void main(String[] args) {
    System.out.println(hashes());
  }

  /** Products that take every path: bands, cuts, split sums, swapped operands, batches, all passes of a convolution, attention. */
  private static String hashes() {
    Random random = new Random(1);
    float[] a = GemmTest.uniform(random, 1 << 19);
    float[] b = GemmTest.uniform(random, 1 << 19);
    StringBuilder hashes = new StringBuilder();
    for (int[] size : new int[][] {{500, 130, 300}, {64, 64, 8_000}, {20, 700, 700}, {1_000, 40, 70}, {33, 31, 20}}) {
      int m = size[0];
      int n = size[1];
      int k = size[2];
      float[] c = new float[m * n];
      Gemm.multiply(c, Matrix.rowMajor(a, 0, k), Matrix.transposed(b, 0, k), b, m, n, k, false);
      hashes.append(Arrays.hashCode(c)).append(' ');
      Gemm.multiply(c, Matrix.transposed(a, 0, m), Matrix.rowMajor(b, 0, n), null, m, n, k, true);
      hashes.append(Arrays.hashCode(c)).append(' ');
    }
    return hashes + attention(a, b) + convolutions(a, b, 20, 40) + convolutions(a, b, 16, 32); // product, then Winograd
  }

  /** One chunk of keys, then two shares. */
  private static String attention(float[] a, float[] b) {
    StringBuilder hashes = new StringBuilder();
    for (int keys : new int[] {150, 300}) {
      float[][] results = new float[5][2 * 300 * 48];
      Attention.forward(results[0], results[1], a, b, a, 2, 200, keys, 3, 16, false);
      Attention.backward(results[2], results[3], results[4], b, a, b, a, results[0], results[1], 2, 200, keys, 3, 16,
          false);
      hashes.append(Arrays.deepHashCode(results)).append(' ');
    }
    return hashes.toString();
  }

  private static String convolutions(float[] x, float[] w, int in, int out) {
    Conv2d.Geometry g = new Conv2d.Geometry(8, 16, 16, in, out, 3, 3, 1, 1, 1, 1, 1);
    float[] y = new float[8 * 16 * 16 * out];
    float[] dx = new float[8 * 16 * 16 * in];
    float[] dw = new float[out * 9 * in];
    float[] db = new float[out];
    Conv2d.forward(y, x, Weights.of(w), w, g);
    Conv2d.backwardData(dx, y, Weights.of(w), g);
    Conv2d.backwardFilter(dw, db, y, x, g);
    return " " + Arrays.hashCode(y) + " " + Arrays.hashCode(dx) + " " + Arrays.hashCode(dw) + " "
        + Arrays.hashCode(db);
  }
}
