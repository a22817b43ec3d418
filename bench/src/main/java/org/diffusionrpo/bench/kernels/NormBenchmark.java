package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.kernels.cpu.GroupNorm;
import org.diffusionrpo.kernels.cpu.LayerNorm;
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

  private int samples;
  private int positions;
  private int channels;
  private float[] x;
  private float[] y;
  private float[] dy;
  private float[] dx;
  private float[] gamma;
  private float[] beta;
  private float[] dGamma;
  private float[] dBeta;
  private float[] mean;
  private float[] rstd;

  /** Random inputs; backward needs no true statistics for its time. */
  @Setup
  public void setUp() {
    int[] sizes = Shapes.parse(shape);
    samples = sizes[0];
    positions = sizes[1];
    channels = sizes[2];
    x = Shapes.gaussian(1, samples * positions * channels);
    dy = Shapes.gaussian(2, x.length);
    y = new float[x.length];
    dx = new float[x.length];
    gamma = Shapes.gaussian(3, channels);
    beta = Shapes.gaussian(4, channels);
    dGamma = new float[channels];
    dBeta = new float[channels];
    mean = new float[samples * Math.max(positions, GROUPS)];
    rstd = new float[mean.length];
  }

  @Benchmark
  public float[] groupNormForward() {
    GroupNorm.forward(y, mean, rstd, x, gamma, beta, samples, positions, channels, GROUPS, EPS);
    return y;
  }

  @Benchmark
  public float[] groupNormSiluForward() {
    GroupNorm.forwardSilu(y, mean, rstd, x, gamma, beta, samples, positions, channels, GROUPS, EPS);
    return y;
  }

  @Benchmark
  public float[] groupNormBackward() {
    GroupNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, samples, positions, channels, GROUPS);
    return dx;
  }

  @Benchmark
  public float[] groupNormSiluBackward() {
    GroupNorm.backwardSilu(dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd, samples, positions, channels, GROUPS);
    return dx;
  }

  @Benchmark
  public float[] layerNormForward() {
    LayerNorm.forward(y, mean, rstd, x, gamma, beta, samples * positions, channels, EPS);
    return y;
  }

  @Benchmark
  public float[] layerNormBackward() {
    LayerNorm.backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd, samples * positions, channels);
    return dx;
  }
}
