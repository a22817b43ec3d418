package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.kernels.cpu.Activations;
import org.diffusionrpo.kernels.cpu.Adafactor;
import org.diffusionrpo.kernels.cpu.AdamW;
import org.diffusionrpo.kernels.cpu.Elementwise;
import org.diffusionrpo.kernels.cpu.Reduce;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Activations of one transformer block of SD 1.5 at 64 x 64 latents, and optimizer steps of its widest linear layer,
 * times four. Bound by memory: report GB/s from 4 bytes per element read or written, with error.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx2g", "-XX:+UseSerialGC"})
public class ElementwiseBenchmark {
  private static final int ROWS = 2 * 4096;
  private static final int COLUMNS = 1280;

  private float[] wide;
  private float[] dWide;
  private float[] x;
  private float[] y;
  private float[] moment;
  private float[] squares;
  private float[] rowState;
  private float[] columnState;

  /** GEGLU's input [2, 4096, 2560] and arrays of half its size. */
  @Setup
  public void setUp() {
    wide = Shapes.gaussian(1, ROWS * 2 * COLUMNS);
    dWide = new float[wide.length];
    x = Shapes.gaussian(2, ROWS * COLUMNS);
    y = Shapes.gaussian(3, ROWS * COLUMNS);
    moment = new float[x.length];
    squares = new float[x.length];
    rowState = new float[ROWS];
    columnState = new float[COLUMNS];
  }

  @Benchmark
  public float[] gegluForward() {
    Activations.gegluForward(y, wide, ROWS, COLUMNS);
    return y;
  }

  @Benchmark
  public float[] gegluBackward() {
    Activations.gegluBackward(dWide, x, wide, ROWS, COLUMNS);
    return dWide;
  }

  @Benchmark
  public float[] siluForward() {
    Activations.siluForward(y, x, x.length);
    return y;
  }

  @Benchmark
  public float[] siluBackward() {
    Activations.siluBackward(y, x, wide, x.length);
    return y;
  }

  @Benchmark
  public float[] add() {
    Elementwise.add(y, x, dWide, x.length);
    return y;
  }

  @Benchmark
  public double sumOfSquares() {
    return Reduce.sumOfSquares(x, x.length);
  }

  @Benchmark
  public float[] adamW() {
    AdamW.step(dWide, x, moment, squares, x.length, 1e-6, 0.9, 0.999, 1e-8, 1e-2, 0.5, 0.5);
    return dWide;
  }

  @Benchmark
  public float[] adafactor() {
    Adafactor.step(dWide, x, rowState, columnState, 1, ROWS, COLUMNS, 1, 2, 1e-6, 1e-2);
    return dWide;
  }
}
