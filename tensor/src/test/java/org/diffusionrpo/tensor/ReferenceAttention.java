package org.diffusionrpo.tensor;

import static org.diffusionrpo.tensor.ReferenceBackend.values;

import java.util.Arrays;

/**
 * Softmax attention with stored probabilities, one query at a time. Backward does not use the log-sum-exp that forward
 * gave, so a wrong one shows when a backend's backward is compared.
 */
record ReferenceAttention(Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
  void forward(Tensor out, Tensor lse) {
    Arrays.fill(values(out), 0);
    forEachQuery((sample, head, query) -> {
      double[] p = scores(sample, head, query);
      values(lse)[(sample * heads + head) * q.dim(1) + query] = softmax(p);
      for (int key = 0; key < p.length; key++) {
        for (int d = 0; d < width(); d++) {
          values(out)[at(q, sample, head, query, d)] += p[key] * values(v)[at(k, sample, head, key, d)];
        }
      }
    });
  }

  void backward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut) {
    Arrays.fill(values(dq), 0);
    Arrays.fill(values(dk), 0);
    Arrays.fill(values(dv), 0);
    forEachQuery((sample, head, query) -> {
      double[] p = scores(sample, head, query);
      softmax(p);
      double[] dp = new double[p.length];
      double expected = 0;
      for (int key = 0; key < p.length; key++) {
        for (int d = 0; d < width(); d++) {
          double slope = values(dOut)[at(q, sample, head, query, d)];
          dp[key] += slope * values(v)[at(k, sample, head, key, d)];
          values(dv)[at(k, sample, head, key, d)] += slope * p[key];
        }
        expected += p[key] * dp[key];
      }
      for (int key = 0; key < p.length; key++) {
        double dScore = p[key] * (dp[key] - expected) * scale();
        for (int d = 0; d < width(); d++) {
          int atQ = at(q, sample, head, query, d);
          int atK = at(k, sample, head, key, d);
          values(dq)[atQ] += dScore * values(k)[atK];
          values(dk)[atK] += dScore * values(q)[atQ];
        }
      }
    });
  }

  private interface QueryTask {
    void run(int sample, int head, int query);
  }

  private void forEachQuery(QueryTask task) {
    for (int sample = 0; sample < q.dim(0); sample++) {
      for (int head = 0; head < heads; head++) {
        for (int query = 0; query < q.dim(1); query++) {
          task.run(sample, head, query);
        }
      }
    }
  }

  /** Scaled scores of the keys that the query may see. */
  private double[] scores(int sample, int head, int query) {
    double[] scores = new double[causal ? Math.min(query + 1, k.dim(1)) : k.dim(1)];
    for (int key = 0; key < scores.length; key++) {
      for (int d = 0; d < width(); d++) {
        scores[key] += values(q)[at(q, sample, head, query, d)] * values(k)[at(k, sample, head, key, d)] * scale();
      }
    }
    return scores;
  }

  /** Turns scores into probabilities; returns the log of the sum of exponentials. */
  private static double softmax(double[] scores) {
    double max = Arrays.stream(scores).max().orElseThrow();
    double lse = max + Math.log(Arrays.stream(scores).map(score -> Math.exp(score - max)).sum());
    Arrays.setAll(scores, key -> Math.exp(scores[key] - lse));
    return lse;
  }

  private int width() {
    return q.dim(2) / heads;
  }

  private double scale() {
    return 1 / Math.sqrt(width());
  }

  private int at(Tensor x, int sample, int head, int token, int d) {
    return (sample * x.dim(1) + token) * x.dim(2) + head * width() + d;
  }
}
