package org.diffusionrpo.bench.kernels;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Tensor;
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

  private static final Backend.AdamWStep ADAMW = new Backend.AdamWStep(1e-6, 0.9, 0.999, 1e-8, 1e-2, 0.5, 0.5);
  private static final Backend.AdafactorStep ADAFACTOR = new Backend.AdafactorStep(2, 1e-6, 1e-2);

  private Tensor wide;
  private Tensor dWide;
  private Tensor x;
  private Tensor y;
  private Tensor z;
  private Tensor moment;
  private Tensor squares;
  private Tensor rowState;
  private Tensor columnState;

  /** GEGLU's input [2 * 4096, 2560] and tensors of half its size. */
  @Setup
  public void setUp(Device device) {
    wide = device.gaussian(1, ROWS, 2 * COLUMNS);
    dWide = device.zeros(ROWS, 2 * COLUMNS);
    x = device.gaussian(2, ROWS, COLUMNS);
    y = device.gaussian(3, ROWS, COLUMNS);
    z = device.gaussian(4, ROWS, COLUMNS);
    moment = device.zeros(ROWS, COLUMNS);
    squares = device.zeros(ROWS, COLUMNS);
    rowState = device.zeros(ROWS);
    columnState = device.zeros(COLUMNS);
  }

  @Benchmark
  public void gegluForward(Device device) {
    device.get().gegluForward(y, wide);
    device.await();
  }

  @Benchmark
  public void gegluBackward(Device device) {
    device.get().gegluBackward(dWide, x, wide);
    device.await();
  }

  @Benchmark
  public void siluForward(Device device) {
    device.get().activationForward(Activation.SILU, y, x);
    device.await();
  }

  @Benchmark
  public void siluBackward(Device device) {
    device.get().activationBackward(Activation.SILU, y, x, z);
    device.await();
  }

  @Benchmark
  public void add(Device device) {
    device.get().add(y, x, z);
    device.await();
  }

  @Benchmark
  public double sumOfSquares(Device device) {
    return device.get().sumOfSquares(List.of(x));
  }

  @Benchmark
  public void adamW(Device device) {
    device.get().adamW(z, x, moment, squares, ADAMW);
    device.await();
  }

  @Benchmark
  public void adafactor(Device device) {
    device.get().adafactor(z, x, rowState, columnState, ADAFACTOR);
    device.await();
  }
}
