package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;

class ContrastiveLossTest {
  private static final int N = 5;
  private static final int WIDTH = 7;
  private static final double LOGIT_SCALE = 1.3;

  /** Embeds are floats: steps must not vanish in their rounding. */
  private static final float STEP = 1e-3f;

  /** Truncation of the differences, STEP^2, and the gradients' rounding to float. */
  private static final double TOLERANCE = 1e-6;

  /** Sums of doubles in another order. */
  private static final double ROUNDING = 1e-12;

  private final float[] images = gaussian("images");
  private final float[] texts = gaussian("texts");

  @Test
  void gradientsMatchFiniteDifferences() {
    ContrastiveLoss loss = new ContrastiveLoss(images, texts, N, LOGIT_SCALE);
    for (int i = 0; i < N * WIDTH; i++) {
      assertEquals(slope(images, i), loss.dImages()[i], TOLERANCE, "image embed " + i);
      assertEquals(slope(texts, i), loss.dTexts()[i], TOLERANCE, "text embed " + i);
    }
    double up = new ContrastiveLoss(images, texts, N, LOGIT_SCALE + STEP).loss();
    double down = new ContrastiveLoss(images, texts, N, LOGIT_SCALE - STEP).loss();
    assertEquals((up - down) / (2 * STEP), loss.dLogitScale(), TOLERANCE);
  }

  @Test
  void theOrderOfThePairsDoesNotMatter() {
    int[] order = Philox.stream(5, "order", 0).permutation(N);
    ContrastiveLoss plain = new ContrastiveLoss(images, texts, N, LOGIT_SCALE);
    ContrastiveLoss shuffled = new ContrastiveLoss(rows(images, order), rows(texts, order), N, LOGIT_SCALE);
    assertEquals(plain.loss(), shuffled.loss(), ROUNDING);
    assertEquals(plain.accuracy(), shuffled.accuracy());
    assertEquals(plain.dLogitScale(), shuffled.dLogitScale(), ROUNDING);
    assertArrayEquals(rows(plain.dImages(), order), shuffled.dImages(), (float) TOLERANCE);
    assertArrayEquals(rows(plain.dTexts(), order), shuffled.dTexts(), (float) TOLERANCE);
  }

  @Test
  void imagesAndTextsCanChangePlaces() {
    ContrastiveLoss plain = new ContrastiveLoss(images, texts, N, LOGIT_SCALE);
    ContrastiveLoss swapped = new ContrastiveLoss(texts, images, N, LOGIT_SCALE);
    assertEquals(plain.loss(), swapped.loss(), ROUNDING);
    assertArrayEquals(plain.dImages(), swapped.dTexts(), (float) TOLERANCE);
  }

  @Test
  void theLengthOfEmbedsDoesNotMatter() {
    float[] longer = images.clone();
    for (int i = 0; i < longer.length; i++) {
      longer[i] *= 3 + i / WIDTH;
    }
    assertEquals(loss(), new ContrastiveLoss(longer, texts, N, LOGIT_SCALE).loss(), TOLERANCE);
  }

  @Test
  void matchedUnitVectorsGiveTheClosedForm() {
    float[] unit = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    ContrastiveLoss loss = new ContrastiveLoss(unit, unit, 3, Math.log(2));
    assertEquals(Math.log(1 + 2 * Math.exp(-2)), loss.loss(), ROUNDING);
    assertEquals(1, loss.accuracy());
    float[] turned = {0, 1, 0, 0, 0, 1, 1, 0, 0};
    assertEquals(0, new ContrastiveLoss(unit, turned, 3, Math.log(2)).accuracy());
  }

  /** By central differences over the distance that is left after rounding to float. */
  private double slope(float[] embeds, int i) {
    float old = embeds[i];
    embeds[i] = old + STEP;
    double up = loss();
    double distance = embeds[i];
    embeds[i] = old - STEP;
    double down = loss();
    distance -= embeds[i];
    embeds[i] = old;
    return (up - down) / distance;
  }

  private double loss() {
    return new ContrastiveLoss(images, texts, N, LOGIT_SCALE).loss();
  }

  private static float[] rows(float[] values, int[] order) {
    float[] rows = new float[values.length];
    for (int i = 0; i < order.length; i++) {
      System.arraycopy(values, order[i] * WIDTH, rows, i * WIDTH, WIDTH);
    }
    return rows;
  }

  private static float[] gaussian(String purpose) {
    float[] values = new float[N * WIDTH];
    Philox.stream(5, purpose, 0).fillGaussian(values);
    return values;
  }
}
