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
 * Attention, samples x heads x queries x keys x headDim: self-attention of SD 1.5 at 64 x 64 and 32 x 32 latents, its
 * cross-attention to 77 tokens, and many small images. Report GFLOP/s = 4 samples heads queries keys headDim / time
 * forward, and 2.5 times the operations backward, with error.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx4g", "-XX:+UseSerialGC"})
public class AttentionBenchmark {
  @Param({"2x8x4096x4096x40", "2x8x1024x1024x80", "2x8x4096x77x40", "48x4x256x256x16"})
  String shape;

  private int heads;
  private Tensor q;
  private Tensor k;
  private Tensor v;
  private Tensor out;
  private Tensor lse;
  private Tensor dOut;
  private Tensor dq;
  private Tensor dk;
  private Tensor dv;

  /** Random inputs, and the forward result that backward starts from. */
  @Setup
  public void setUp(Device device) {
    int[] sizes = Shapes.parse(shape);
    int samples = sizes[0];
    heads = sizes[1];
    int queries = sizes[2];
    int keys = sizes[3];
    int channels = heads * sizes[4];
    q = device.gaussian(1, samples, queries, channels);
    k = device.gaussian(2, samples, keys, channels);
    v = device.gaussian(3, samples, keys, channels);
    dOut = device.gaussian(4, samples, queries, channels);
    out = device.zeros(samples, queries, channels);
    lse = device.zeros(samples, heads, queries);
    dq = device.zeros(samples, queries, channels);
    dk = device.zeros(samples, keys, channels);
    dv = device.zeros(samples, keys, channels);
    forward(device);
  }

  @Benchmark
  public void forward(Device device) {
    device.get().attentionForward(out, lse, q, k, v, heads, false);
    device.await();
  }

  @Benchmark
  public void backward(Device device) {
    device.get().attentionBackward(dq, dk, dv, dOut, q, k, v, out, lse, heads, false);
    device.await();
  }
}
