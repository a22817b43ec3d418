package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.tensor.Conv2dGeometry;
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
 * 3 x 3 convolutions of SD 1.5's UNet, samples x side x channels, with as many filters. GFLOP/s =
 * 18 samples side^2 channels^2 / time for each of the three.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx4g", "-XX:+UseSerialGC"})
public class ConvolutionBenchmark {
  private static final Conv2dGeometry SAME = Conv2dGeometry.of(1, 1);

  @Param({"2x64x320", "2x32x640", "2x16x1280", "2x8x1280"})
  String shape;

  private Tensor x;
  private Tensor y;
  private Tensor weight;
  private Tensor dWeight;

  /** Random operands; backward takes x and y for the other's gradient. */
  @Setup
  public void setUp(Device device) {
    int[] sizes = Shapes.parse(shape);
    int channels = sizes[2];
    x = device.gaussian(1, sizes[0], sizes[1], sizes[1], channels);
    y = device.gaussian(2, sizes[0], sizes[1], sizes[1], channels);
    weight = device.gaussian(3, channels, 3, 3, channels);
    dWeight = device.zeros(channels, 3, 3, channels);
  }

  @Benchmark
  public void forward(Device device) {
    device.get().conv2dForward(y, x, weight, null, SAME);
    device.await();
  }

  @Benchmark
  public void backwardData(Device device) {
    device.get().conv2dBackwardData(x, y, weight, SAME);
    device.await();
  }

  @Benchmark
  public void backwardWeight(Device device) {
    device.get().conv2dBackwardWeight(dWeight, null, y, x, SAME);
    device.await();
  }
}
