package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionTest {
  /** Float sums over some hundred keys and features. */
  private static final double TOLERANCE = 3e-6;
  /** Central differences in double with step 1e-5. */
  private static final double DIFFERENCES = 1e-7;

  @ParameterizedTest
  @CsvSource({"1,1,1,1,1,false", "2,3,2,1,7,false", "1,4,16,2,16,false", "1,31,33,3,17,false", "2,100,77,2,40,false",
      "1,97,97,2,33,true", "1,1,1,1,1,true", "2,15,15,1,16,true", "1,64,64,2,64,true", "1,77,77,2,64,true",
      "1,200,200,1,31,true", "1,20,50,1,8,true", "1,50,20,1,8,true", "1,33,257,1,160,false", "2,256,256,2,80,false",
      "1,225,193,1,12,false", "1,300,300,2,136,true", "2,40,130,16,8,false", "2,130,130,16,5,true"})
  void forwardAndBackwardMatchTheDefinition(int samples, int queries, int keys, int heads, int headDim,
      boolean causal) {
    Run run = new Run(new AttentionOracle(samples, queries, keys, heads, headDim, causal), 1);
    run.check(TOLERANCE);
  }

  @Test
  void theDefinitionsGradientMatchesFiniteDifferences() {
    for (boolean causal : new boolean[] {false, true}) {
      AttentionOracle oracle = new AttentionOracle(1, 5, 4, 2, 3, causal);
      double[] q = toDouble(gaussian(1, 30));
      double[] k = toDouble(gaussian(2, 24));
      double[] v = toDouble(gaussian(3, 24));
      double[] dOut = toDouble(gaussian(4, 30));
      double[][] gradients = oracle.backward(dOut, q, k, v);
      assertClose("dq", numericalGradient(x -> oracle.forward(x, k, v), q, dOut), gradients[0], DIFFERENCES);
      assertClose("dk", numericalGradient(x -> oracle.forward(q, x, v), k, dOut), gradients[1], DIFFERENCES);
      assertClose("dv", numericalGradient(x -> oracle.forward(q, k, x), v, dOut), gradients[2], DIFFERENCES);
    }
  }

  @Test
  void largeScoresNeitherOverflowNorLoseTheirMaximum() {
    // Scores up to about +-20,000: one key takes all. Rounding of such scores alone is 1e-3.
    Run run = new Run(new AttentionOracle(1, 60, 130, 1, 20, false), 70);
    run.forward();
    for (float value : run.out) {
      assertTrue(Float.isFinite(value));
    }
    run.check(2e-2);
  }

  @Test
  void veryNegativeLogSumsStayFinite() {
    // Every true score is near -400 while the padding's scores are 0, so exp(0 - lse) overflows there.
    int headDim = 16;
    float[] q = new float[5 * headDim];
    float[] k = new float[7 * headDim];
    Arrays.fill(q, 10);
    Arrays.fill(k, -10);
    float[] v = gaussian(1, k.length);
    float[] out = new float[q.length];
    float[] lse = new float[5];
    Attention.forward(out, lse, q, k, v, 1, 5, 7, 1, headDim, false);
    assertEquals(-400 + Math.log(7), lse[4], 1e-4);
    float[] dq = new float[q.length];
    float[] dk = new float[k.length];
    float[] dv = new float[k.length];
    Attention.backward(dq, dk, dv, gaussian(2, q.length), q, k, v, out, lse, 1, 5, 7, 1, headDim, false);
    for (float[] gradient : new float[][] {dq, dk, dv}) {
      for (float value : gradient) {
        assertTrue(Float.isFinite(value));
      }
    }
  }

  @Test
  void causalIgnoresLaterKeys() {
    Run run = new Run(new AttentionOracle(1, 130, 130, 2, 24, true), 1);
    run.forward();
    float[] before = run.out.clone();
    int from = 120 * 48;
    Arrays.fill(run.k, from, run.k.length, 1e6f);
    Arrays.fill(run.v, from, run.v.length, -1e6f);
    run.forward();
    for (int i = 0; i < from; i++) {
      assertEquals(before[i], run.out[i]);
    }
  }

  /** Keys of one chunk, of a few chunks of one task, and of a few tasks. */
  @ParameterizedTest
  @CsvSource({"70,77,2,40", "40,250,2,136", "40,600,4,16"})
  void aBatchHasTheBitsOfItsSamples(int queries, int keys, int heads, int headDim) {
    Run batch = new Run(new AttentionOracle(3, queries, keys, heads, headDim, false), 1);
    batch.all();
    Run last = new Run(new AttentionOracle(1, queries, keys, heads, headDim, false), 1);
    for (float[][] input : new float[][][] {{batch.q, last.q}, {batch.k, last.k}, {batch.v, last.v},
        {batch.dOut, last.dOut}}) {
      System.arraycopy(input[0], 2 * input[1].length, input[1], 0, input[1].length);
    }
    last.all();
    for (float[][] result : new float[][][] {{batch.out, last.out}, {batch.lse, last.lse}, {batch.dq, last.dq},
        {batch.dk, last.dk}, {batch.dv, last.dv}}) {
      float[] tail = Arrays.copyOfRange(result[0], 2 * result[1].length, 3 * result[1].length);
      assertArrayEquals(result[1], tail);
    }
  }

  @Test
  void resultsNeverChangeBits() {
    Run run = new Run(new AttentionOracle(2, 35, 110, 1, 13, false), 1);
    assertReproducible(run::all);
    Run causal = new Run(new AttentionOracle(1, 70, 70, 1, 9, true), 1);
    assertReproducible(causal::all);
  }

  /** The kernel's inputs and outputs for one shape. */
  private static final class Run {
    final AttentionOracle shape;
    final float[] q;
    final float[] k;
    final float[] v;
    final float[] dOut;
    final float[] out;
    final float[] lse;
    final float[] dq;
    final float[] dk;
    final float[] dv;

    Run(AttentionOracle shape, float scale) {
      this.shape = shape;
      int queries = shape.samples() * shape.queries() * shape.heads() * shape.headDim();
      int keys = shape.samples() * shape.keys() * shape.heads() * shape.headDim();
      q = gaussian(1, queries);
      k = gaussian(2, keys);
      Elementwise.scale(q, q, scale, queries);
      Elementwise.scale(k, k, scale, keys);
      v = gaussian(3, keys);
      dOut = gaussian(4, queries);
      out = new float[queries];
      dq = gaussian(5, queries); // overwritten
      dk = gaussian(6, keys);
      dv = gaussian(7, keys);
      lse = new float[shape.samples() * shape.heads() * shape.queries()];
    }

    void forward() {
      Attention.forward(out, lse, q, k, v, shape.samples(), shape.queries(), shape.keys(), shape.heads(),
          shape.headDim(), shape.causal());
    }

    void backward() {
      Attention.backward(dq, dk, dv, dOut, q, k, v, out, lse, shape.samples(), shape.queries(), shape.keys(),
          shape.heads(), shape.headDim(), shape.causal());
    }

    void check(double tolerance) {
      forward();
      backward();
      double[] qs = toDouble(q);
      double[] ks = toDouble(k);
      double[] vs = toDouble(v);
      assertClose("out", shape.forward(qs, ks, vs), out, tolerance);
      assertClose("lse", shape.lse(qs, ks), lse, tolerance);
      double[][] expected = shape.backward(toDouble(dOut), qs, ks, vs);
      // With one key dq and dk are exactly 0: compare with the size of dv instead.
      double floor = Arrays.stream(expected[2]).map(Math::abs).max().orElse(0) * 0.1;
      assertCloseAbove("dq", expected[0], dq, tolerance, floor);
      assertCloseAbove("dk", expected[1], dk, tolerance, floor);
      assertClose("dv", expected[2], dv, tolerance);
    }

    private static void assertCloseAbove(String what, double[] expected, float[] actual, double tolerance,
        double floor) {
      double largest = Math.max(floor, Arrays.stream(expected).map(Math::abs).max().orElse(0));
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[i], tolerance * largest, what + "[" + i + "]");
      }
    }

    float[] all() {
      forward();
      backward();
      float[] all = new float[out.length + lse.length + dq.length + dk.length + dv.length];
      int at = 0;
      for (float[] part : new float[][] {out, lse, dq, dk, dv}) {
        System.arraycopy(part, 0, all, at, part.length);
        at += part.length;
      }
      return all;
    }
  }
}
