package org.diffusionrpo.bench.kernels;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Where the operations of all benchmarks run: {@code -p backend=cuda -p precision=bf16}. */
@State(Scope.Benchmark)
public class Device {
  @Param("cpu")
  String backend;

  @Param("fp32")
  String precision;

  private Backend opened;

  @Setup
  public void open() {
    opened = Backends.open(backend, precision, System.out::println);
  }

  @TearDown
  public void close() {
    opened.close();
  }

  Backend get() {
    return opened;
  }

  /** Standard normal numbers. */
  Tensor gaussian(long seed, int... dims) {
    Shape shape = Shape.of(dims);
    return opened.of(shape, Shapes.gaussian(seed, shape.size()));
  }

  Tensor zeros(int... dims) {
    return opened.zeros(Shape.of(dims));
  }

  /** Ends a run: a GPU works on after the call has returned. */
  void await() {
    opened.synchronize();
  }
}
