package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.tensor.Tensor;
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

  private Tensor a;
  private Tensor b;
  private Tensor c;

  /** Random operands. */
  @Setup
  public void setUp(Device device) {
    int[] sizes = Shapes.parse(shape);
    int m = sizes[0];
    int n = sizes[1];
    int k = sizes[2];
    a = form.equals("TN") ? device.gaussian(1, k, m) : device.gaussian(1, m, k);
    b = form.equals("NT") ? device.gaussian(2, n, k) : device.gaussian(2, k, n);
    c = device.zeros(m, n);
  }

  /** Forward, gradient of the input, and gradient of the weight (which is added to) of a linear layer. */
  @Benchmark
  public void multiply(Device device) {
    switch (form) {
      case "NT" -> device.get().linearForward(c, a, b, null);
      case "NN" -> device.get().linearBackwardData(c, a, b);
      default -> device.get().linearBackwardWeight(c, null, a, b);
    }
    device.await();
  }
}
