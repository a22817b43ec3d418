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
 * GroupNorm + SiLU of a ResNet block and LayerNorm of a transformer block of SD 1.5, samples x positions x channels.
 * All are bound by memory: report GB/s from 4 bytes per element read or written, with error.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx2g", "-XX:+UseSerialGC"})
public class NormBenchmark {
  private static final int GROUPS = 32;
  private static final float EPS = 1e-5f;

  @Param({"2x4096x320", "2x1024x640", "2x256x1280"})
  String shape;

  private Tensor x;
  private Tensor y;
  private Tensor dy;
  private Tensor dx;
  private Tensor gamma;
  private Tensor beta;
  private Tensor dGamma;
  private Tensor dBeta;
  private Tensor groupMean;
  private Tensor groupRstd;
  private Tensor rowMean;
  private Tensor rowRstd;

  /** Random inputs; backward needs no true statistics for its time. */
  @Setup
  public void setUp(Device device) {
    int[] sizes = Shapes.parse(shape);
    x = device.gaussian(1, sizes);
    dy = device.gaussian(2, sizes);
    y = device.zeros(sizes);
    dx = device.zeros(sizes);
    gamma = device.gaussian(3, sizes[2]);
    beta = device.gaussian(4, sizes[2]);
    dGamma = device.zeros(sizes[2]);
    dBeta = device.zeros(sizes[2]);
    groupMean = device.zeros(sizes[0], GROUPS);
    groupRstd = device.zeros(sizes[0], GROUPS);
    rowMean = device.zeros(sizes[0] * sizes[1]);
    rowRstd = device.zeros(sizes[0] * sizes[1]);
  }

  @Benchmark
  public void groupNormForward(Device device) {
    device.get().groupNormForward(y, groupMean, groupRstd, x, gamma, beta, GROUPS, EPS);
    device.await();
  }

  @Benchmark
  public void groupNormSiluForward(Device device) {
    device.get().groupNormSiluForward(y, groupMean, groupRstd, x, gamma, beta, GROUPS, EPS);
    device.await();
  }

  @Benchmark
  public void groupNormBackward(Device device) {
    device.get().groupNormBackward(dx, dGamma, dBeta, dy, x, gamma, groupMean, groupRstd, GROUPS);
    device.await();
  }

  @Benchmark
  public void groupNormSiluBackward(Device device) {
    device.get().groupNormSiluBackward(dx, dGamma, dBeta, dy, x, gamma, beta, groupMean, groupRstd, GROUPS);
    device.await();
  }

  @Benchmark
  public void layerNormForward(Device device) {
    device.get().layerNormForward(y, rowMean, rowRstd, x, gamma, beta, EPS);
    device.await();
  }

  @Benchmark
  public void layerNormBackward(Device device) {
    device.get().layerNormBackward(dx, dGamma, dBeta, dy, x, gamma, rowMean, rowRstd);
    device.await();
  }
}
