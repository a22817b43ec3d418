package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.diffusionrpo.diffusion.train.Denoising;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.rpo.train.PairBatches.Timestep;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PairBatchesTest {
  private static final int BATCH = 5;

  private final Backend backend = new CpuBackend();
  private TinyPreferences tiny;

  @BeforeEach
  void create() throws IOException {
    tiny = new TinyPreferences(backend);
  }

  @AfterEach
  void close() {
    tiny.close();
    backend.close();
  }

  @Test
  void groupSharesOneTimestepAndPairsNone() {
    PairBatch grouped = batches(2, Timestep.GROUP, 0).batch(3, true);
    assertEquals(grouped.timesteps()[0], grouped.timesteps()[1]);
    assertEquals(grouped.timesteps()[2], grouped.timesteps()[3]);
    assertEquals(3, distinct(grouped.timesteps()), Arrays.toString(grouped.timesteps()));
    PairBatch single = batches(2, Timestep.PAIR, 0).batch(3, true);
    assertEquals(BATCH, distinct(single.timesteps()), Arrays.toString(single.timesteps()));
    for (int lead : new int[] {0, 2, 4}) {
      assertEquals(grouped.timesteps()[lead], single.timesteps()[lead], "the group takes its first pair's");
    }
  }

  @Test
  void winnerAndLoserShareTimestepNoiseAndCaption() {
    PairBatch batch = batches(1, Timestep.PAIR, 0.5).batch(0, true);
    Denoising denoising = batch.denoising(backend, 1, 4);
    assertArrayEquals(half(denoising.timesteps(), 0), half(denoising.timesteps(), 1));
    assertEquals(batch.timesteps()[1], denoising.timesteps()[0]);
    for (float[] shared : new float[][] {denoising.target().toArray(),
        denoising.conditions().context().toArray()}) {
      assertArrayEquals(half(shared, 0), half(shared, 1));
    }
    float[] noisy = denoising.noisy().toArray();
    assertFalse(Arrays.equals(half(noisy, 0), half(noisy, 1)));
  }

  @Test
  void denoisingWithoutLosersHoldsTheSameWinners() {
    PairBatches batches = batches(1, Timestep.PAIR, 0.5);
    Denoising both = batches.batch(2, true).denoising(backend, 0, BATCH);
    Denoising winners = batches.batch(2, false).denoising(backend, 0, BATCH);
    assertArrayEquals(half(both.noisy().toArray(), 0), winners.noisy().toArray());
    assertEquals(BATCH, winners.timesteps().length);
  }

  @Test
  void captionDropoutShowsTheEmptyPromptToItsShareOfPairs() {
    assertEquals(0, dropped(0));
    assertEquals(1, dropped(1));
    assertEquals(0.25, dropped(0.25), 3 * Math.sqrt(0.25 * 0.75 / (BATCH * 100)), "three standard deviations");
  }

  @Test
  void captionDropoutLeavesTimestepsNoiseAndFeaturesAlone() {
    PairBatch without = batches(1, Timestep.PAIR, 0).batch(1, true);
    PairBatch with = batches(1, Timestep.PAIR, 1).batch(1, true);
    assertArrayEquals(without.timesteps(), with.timesteps());
    assertArrayEquals(without.noise(), with.noise());
    assertArrayEquals(without.winners(), with.winners());
    assertArrayEquals(without.features().winnerPrompts(), with.features().winnerPrompts());
  }

  @Test
  void batchIsAFunctionOfSeedAndUpdate() {
    PairBatch first = batches(1, Timestep.PAIR, 0.2).batch(9, true);
    PairBatches walked = batches(1, Timestep.PAIR, 0.2);
    for (int step = 0; step < 9; step++) {
      assertFalse(Arrays.deepEquals(walked.batch(step, true).noise(), first.noise()), "update " + step);
    }
    PairBatch again = walked.batch(9, true);
    assertArrayEquals(first.timesteps(), again.timesteps());
    assertArrayEquals(first.noise(), again.noise());
    assertArrayEquals(first.winners(), again.winners());
    assertArrayEquals(first.losers(), again.losers());
    PairBatch other = tiny.batches(new PairBatches.Options(BATCH, 1, Timestep.PAIR, 0.2, TinyPreferences.SEED + 1))
        .batch(9, true);
    assertNotEquals(Arrays.hashCode(first.timesteps()), Arrays.hashCode(other.timesteps()));
    assertFalse(Arrays.deepEquals(first.noise(), other.noise()));
  }

  @Test
  void everyPairIsSeenOncePerEpoch() {
    PairBatches batches = tiny.batches(new PairBatches.Options(1, 1, Timestep.PAIR, 0, TinyPreferences.SEED));
    Set<double[]> seen = new HashSet<>(); // arrays compare by identity: the batch hands out the pairs' own
    for (int step = 0; step < TinyPreferences.PAIRS; step++) {
      seen.add(batches.batch(step, true).features().winnerImages()[0]);
    }
    assertEquals(TinyPreferences.PAIRS, seen.size());
  }

  @Test
  void optionsThatCannotBeAreRefused() {
    for (Runnable wrong : new Runnable[] {
        () -> batches(0, Timestep.PAIR, 0), () -> batches(BATCH + 1, Timestep.PAIR, 0),
        () -> batches(1, Timestep.PAIR, 1.5), () -> batches(1, Timestep.PAIR, Double.NaN)}) {
      String message = assertThrows(IllegalArgumentException.class, wrong::run).getMessage();
      assertTrue(message.contains("expected"), message);
    }
  }

  private PairBatches batches(int group, Timestep timestep, double dropout) {
    return tiny.batches(new PairBatches.Options(BATCH, group, timestep, dropout, TinyPreferences.SEED));
  }

  /** Share of the pairs of 100 updates that see the empty prompt. */
  private double dropped(double dropout) {
    PairBatches batches = batches(1, Timestep.PAIR, dropout);
    int dropped = 0;
    for (int step = 0; step < 100; step++) {
      for (TextEmbedding text : batches.batch(step, false).texts()) {
        dropped += text == tiny.pairs.emptyText() ? 1 : 0;
      }
    }
    return dropped / (100.0 * BATCH);
  }

  private static long distinct(int[] values) {
    return Arrays.stream(values).distinct().count();
  }

  private static float[] half(float[] values, int half) {
    int size = values.length / 2;
    return Arrays.copyOfRange(values, half * size, (half + 1) * size);
  }
}
