package org.diffusionrpo.bench.versus;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Any row of the comparison with libtorch, on any backend: {@code -p backend=cuda -p precision=bf16 -p row=...}. A run
 * ends when the device is done.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx8g", "-XX:+UseSerialGC"})
public class RowBenchmark {
  @Param({"gemm NT 4096x320x2880", "conv3x3 [2,320,64,64]->320 forward", "conv3x3 [2,320,64,64]->320 backward",
      "attention 2x8x4096x4096x40 forward", "attention 2x8x4096x4096x40 backward", "group_norm+silu [2,320,64,64] forward",
      "layer_norm [2,4096,320] forward", "geglu [2,4096,2560] forward"})
  String row;

  @Param("cpu")
  String backend;

  @Param("fp32")
  String precision;

  private Backend opened;
  private Runnable run;

  @Setup
  public void setUp() {
    opened = Backends.open(backend, precision, System.out::println);
    run = Rows.named(row).prepare(new OurWorker(opened));
  }

  @Benchmark
  public void run() {
    run.run();
    opened.synchronize();
  }

  @TearDown
  public void tearDown() {
    opened.close();
  }
}
