package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.kernels.cpu.Gemm;
import org.diffusionrpo.kernels.cpu.Matrix;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The product C [m, n] = A [m, k] x B [k, n] at shapes of SD 1.5 and of the bundled model (with M up to 12,288), in the
 * three forms of a linear layer: NT has B transposed in memory, TN has A. GFLOP/s = 2 M N K / time.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-XX:+UseSerialGC",
    "-XX:+UseTransparentHugePages"})
public class GemmBenchmark {
  @Param({"4096x320x320", "4096x320x2880", "1024x1280x11520", "1024x640x640", "256x1280x1280", "64x1280x11520",
      "12288x64x64", "3072x128x512", "768x192x192", "64x64x12288", "192x192x12288"})
  String shape;

  @Param({"NN", "NT", "TN"})
  String form;

  private int m;
  private int n;
  private int k;
  private Matrix a;
  private Matrix b;
  private float[] c;

  /** Random operands. */
  @Setup
  public void setUp() {
    int[] sizes = Shapes.parse(shape);
    m = sizes[0];
    n = sizes[1];
    k = sizes[2];
    float[] left = Shapes.gaussian(1, m * k);
    float[] right = Shapes.gaussian(2, k * n);
    a = form.equals("TN") ? Matrix.transposed(left, 0, m) : Matrix.rowMajor(left, 0, k);
    b = form.equals("NT") ? Matrix.transposed(right, 0, k) : Matrix.rowMajor(right, 0, n);
    c = new float[m * n];
  }

  @Benchmark
  public float[] multiply() {
    Gemm.multiply(c, a, b, null, m, n, k, false);
    return c;
  }
}
