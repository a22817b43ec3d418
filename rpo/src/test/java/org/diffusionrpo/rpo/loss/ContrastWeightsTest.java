package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.diffusionrpo.rpo.loss.DiffusionRpo.Weighting;
import org.junit.jupiter.api.Test;

class ContrastWeightsTest {
  /** The fill rule of the golden numbers: a hash of the position, uniform in [-1, 1). */
  private static double fill(int g) {
    int h = (g + 1) * 0x9E3779B1;
    h ^= h >>> 15;
    h *= 0x85EBCA77;
    h ^= h >>> 13;
    return 2.0 * (h >>> 8) / (1 << 24) - 1;
  }

  static double[][] goldenPrompts() {
    double[][] prompts = new double[3][6];
    for (int i = 0; i < 3; i++) {
      double norm = 0;
      for (int k = 0; k < 6; k++) {
        prompts[i][k] = fill(54_000_000 + 6 * i + k);
        norm += prompts[i][k] * prompts[i][k];
      }
      for (int k = 0; k < 6; k++) {
        prompts[i][k] /= Math.sqrt(norm);
      }
    }
    return prompts;
  }

  @Test
  void distanceWeightsOfFilledPromptsMatchTheReference() {
    double[][] prompts = goldenPrompts();
    double[][] omega = new ContrastWeights.Distance(Similarity.TEXT, .5)
        .omega(PairFeatures.ofPairs(prompts, prompts, prompts), 3, 3);
    assertArrayEquals(new double[] {0.79651295, 0.183129869, 0.0203571816}, omega[0], 1e-8);
    assertArrayEquals(new double[] {0.171506606, 0.745958233, 0.082535161}, omega[1], 1e-8);
    assertArrayEquals(new double[] {0.0224941525, 0.0973798985, 0.880125949}, omega[2], 1e-8);
  }

  @Test
  void identicalEmbeddingsGiveUniformWeights() {
    double[][] same = {{.6, .8}, {.6, .8}, {.6, .8}, {.6, .8}};
    var features = PairFeatures.ofPairs(same, same, same);
    double[][] omega = new ContrastWeights.Distance(Similarity.BOTH, .01).omega(features, 4, 4);
    assertArrayEquals(new ContrastWeights.Uniform().omega(features, 4, 4), omega);
    var rpo = new DiffusionRpo(2000, Weighting.INSIDE, new ContrastWeights.Distance(Similarity.BOTH, .01));
    var result = rpo.evaluate(LossTesting.errors(new Random(2), 4, 4), features);
    assertEquals(Math.log(4), result.metrics().get(LossMetric.WEIGHT_ENTROPY), 1e-12);
    assertEquals(1, result.metrics().get(LossMetric.WEIGHT_ENTROPY_RELATIVE), 1e-12);
  }

  @Test
  void tauToZeroPicksTheNearestLoser() {
    Random random = new Random(5);
    var features = LossTesting.features(random, 4, 9);
    double[][] near = Similarity.BOTH.cosines(features, 4, 9);
    double[][] omega = new ContrastWeights.Distance(Similarity.BOTH, 1e-5).omega(features, 4, 9);
    for (int i = 0; i < 4; i++) {
      int nearest = 0;
      for (int j = 0; j < 9; j++) {
        nearest = near[i][j] > near[i][nearest] ? j : nearest;
      }
      assertEquals(1, omega[i][nearest], 1e-12);
    }
  }

  @Test
  void hugeTauIsUniform() {
    var features = LossTesting.features(new Random(6), 3, 5);
    for (double[] row : new ContrastWeights.Distance(Similarity.IMAGE, 1e9).omega(features, 3, 5)) {
      assertArrayEquals(new double[] {.2, .2, .2, .2, .2}, row, 1e-9);
    }
  }

  @Test
  void bothIsTheMeanOfTheTwoCosines() {
    var features = LossTesting.features(new Random(7), 2, 3);
    double image = Similarity.IMAGE.cosines(features, 2, 3)[1][2];
    double text = Similarity.TEXT.cosines(features, 2, 3)[1][2];
    assertEquals((image + text) / 2, Similarity.BOTH.cosines(features, 2, 3)[1][2], 1e-15);
  }

  @Test
  void diagonalKeepsLambdaForTheOwnLoser() {
    double[][] omega = new ContrastWeights.Diagonal(.8).omega(PairFeatures.NONE, 3, 3);
    assertArrayEquals(new double[] {.1, .8, .1}, omega[1], 1e-15);
    assertArrayEquals(new double[] {1}, new ContrastWeights.Diagonal(.8).omega(PairFeatures.NONE, 1, 1)[0]);
  }

  @Test
  void badSettingsAndBadEmbeddingsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ContrastWeights.Distance(Similarity.TEXT, 0));
    assertThrows(IllegalArgumentException.class, () -> new ContrastWeights.Diagonal(1.1));
    assertThrows(IllegalArgumentException.class,
        () -> new ContrastWeights.Diagonal(.5).omega(PairFeatures.NONE, 2, 3));
    var missing = assertThrows(IllegalArgumentException.class,
        () -> new ContrastWeights.Distance(Similarity.IMAGE, 1).omega(PairFeatures.NONE, 2, 2));
    assertTrue(missing.getMessage().contains("image embeddings"), missing.getMessage());
    double[][] units = {{1, 0}};
    double[][] tooLong = {{3, 4}};
    assertThrows(IllegalArgumentException.class, () -> PairFeatures.ofPairs(units, tooLong, units));
  }
}
