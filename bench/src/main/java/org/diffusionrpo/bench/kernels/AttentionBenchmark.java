package org.diffusionrpo.bench.kernels;

import java.util.concurrent.TimeUnit;
import org.diffusionrpo.kernels.cpu.Attention;
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

  private int samples;
  private int heads;
  private int queries;
  private int keys;
  private int headDim;
  private float[] q;
  private float[] k;
  private float[] v;
  private float[] out;
  private float[] lse;
  private float[] dOut;
  private float[] dq;
  private float[] dk;
  private float[] dv;

  /** Random inputs, and the forward result that backward starts from. */
  @Setup
  public void setUp() {
    int[] sizes = Shapes.parse(shape);
    samples = sizes[0];
    heads = sizes[1];
    queries = sizes[2];
    keys = sizes[3];
    headDim = sizes[4];
    int querySize = samples * queries * heads * headDim;
    int keySize = samples * keys * heads * headDim;
    q = Shapes.gaussian(1, querySize);
    k = Shapes.gaussian(2, keySize);
    v = Shapes.gaussian(3, keySize);
    dOut = Shapes.gaussian(4, querySize);
    out = new float[querySize];
    lse = new float[samples * heads * queries];
    dq = new float[querySize];
    dk = new float[keySize];
    dv = new float[keySize];
    forward();
  }

  @Benchmark
  public float[] forward() {
    Attention.forward(out, lse, q, k, v, samples, queries, keys, heads, headDim, false);
    return out;
  }

  @Benchmark
  public float[] backward() {
    Attention.backward(dq, dk, dv, dOut, q, k, v, out, lse, samples, queries, keys, heads, headDim, false);
    return dq;
  }
}
