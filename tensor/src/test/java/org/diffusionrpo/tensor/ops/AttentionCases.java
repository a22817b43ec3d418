package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Attention, and the operations that only move rows or pixels. */
final class AttentionCases {
  /** samples, queries, keys, heads, width of a head. */
  private static final int[][] ATTENTION = {
      {1, 1, 1, 1, 1}, {2, 3, 7, 3, 5}, {1, 17, 31, 2, 8}, {2, 33, 33, 1, 15}, {1, 35, 131, 2, 40}, {1, 131, 5, 1, 64},
      {2, 290, 300, 3, 16}};

  /** height, width, height and width of the result. */
  private static final int[][] UPSAMPLE = {{1, 1, 3, 5}, {5, 7, 10, 14}, {5, 4, 9, 7}, {3, 3, 3, 3}, {7, 5, 4, 3}};

  private final List<OpCase> cases = new ArrayList<>();

  static List<OpCase> all() {
    AttentionCases all = new AttentionCases();
    for (int[] s : ATTENTION) {
      all.attention(s[0], s[1], s[2], s[3], s[4], false);
      all.attention(s[0], s[1], s[1], s[3], s[4], true);
    }
    for (int[] s : UPSAMPLE) {
      all.upsample(s[0], s[1], s[2], s[3], 3);
      all.upsample(s[0], s[1], s[2], s[3], 17);
    }
    for (int columns : new int[] {1, 15, 33, 130}) {
      all.embedding(columns);
    }
    return all.cases;
  }

  private void attention(int samples, int queries, int keys, int heads, int width, boolean causal) {
    int channels = heads * width;
    String size = samples + " x " + queries + " queries, " + keys + " keys, " + heads + " heads of " + width
        + (causal ? ", causal" : "");
    add("attentionForward", size, (b, results) -> {
      Tensor out = b.empty(Shape.of(samples, queries, channels));
      Tensor lse = b.empty(Shape.of(samples, heads, queries));
      b.attentionForward(out, lse, gaussian(b, 1, samples, queries, channels), gaussian(b, 2, samples, keys, channels),
          gaussian(b, 3, samples, keys, channels), heads, causal);
      results.add("out", out);
      results.add("lse", lse);
    });
    add("attentionBackward", size, (b, results) -> {
      Tensor q = gaussian(b, 1, samples, queries, channels);
      Tensor k = gaussian(b, 2, samples, keys, channels);
      Tensor v = gaussian(b, 3, samples, keys, channels);
      Tensor out = b.empty(q.shape());
      Tensor lse = b.empty(Shape.of(samples, heads, queries));
      b.attentionForward(out, lse, q, k, v, heads, causal);
      Tensor dq = b.empty(q.shape());
      Tensor dk = b.empty(k.shape());
      Tensor dv = b.empty(v.shape());
      b.attentionBackward(dq, dk, dv, gaussian(b, 4, samples, queries, channels), q, k, v, out, lse, heads, causal);
      if (keys > 1) { // with one key the probabilities are constant and these gradients are zero
        results.add("dq", dq);
        results.add("dk", dk);
      }
      results.add("dv", dv);
    });
  }

  private void upsample(int height, int width, int outHeight, int outWidth, int channels) {
    int[] x = {2, height, width, channels};
    int[] y = {2, outHeight, outWidth, channels};
    String size = Arrays.toString(x) + " -> " + Arrays.toString(y);
    add("upsampleNearestForward", size, (b, out) -> {
      Tensor result = b.empty(Shape.of(y));
      b.upsampleNearestForward(result, gaussian(b, 1, x));
      out.add("y", result);
    });
    add("upsampleNearestBackward", size, (b, out) -> {
      Tensor dx = b.empty(Shape.of(x));
      b.upsampleNearestBackward(dx, gaussian(b, 1, y));
      out.add("dx", dx);
    });
  }

  private void embedding(int columns) {
    int[] ids = {4, 0, 4, 2, 10, 4, 0};
    add("embeddingForward", columns + " columns", (b, out) -> {
      Tensor y = b.empty(Shape.of(1, ids.length, columns));
      b.embeddingForward(y, gaussian(b, 1, 11, columns), ids);
      out.add("y", y);
    });
    add("embeddingBackward", columns + " columns", (b, out) -> {
      Tensor dTable = gaussian(b, 1, 11, columns);
      b.embeddingBackward(dTable, gaussian(b, 2, ids.length, columns), ids);
      out.add("dTable", dTable);
    });
    add("embeddingBackward", "without a gradient",
        (b, out) -> b.embeddingBackward(null, gaussian(b, 2, ids.length, columns), ids));
  }

  private void add(String op, String detail, OpCase.Body body) {
    cases.add(new OpCase(op, detail, body));
  }
}
