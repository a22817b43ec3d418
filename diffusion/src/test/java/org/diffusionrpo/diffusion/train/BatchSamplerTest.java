package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchSamplerTest {
  private static final int EPOCHS = 7;

  @ParameterizedTest
  @CsvSource({"12,4", "13,4", "5,8", "7,1", "1,3"})
  void everyItemComesOncePerEpochAlsoWhenBatchesSpanTwo(int items, int batch) {
    BatchSampler sampler = new BatchSampler(3, items, batch);
    int[] sequence = IntStream.range(0, EPOCHS * items / batch + 1)
        .flatMap(step -> Arrays.stream(sampler.batch(step))).toArray();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      int[] seen = Arrays.stream(sequence, epoch * items, (epoch + 1) * items).sorted().toArray();
      assertArrayEquals(IntStream.range(0, items).toArray(), seen, "epoch " + epoch);
    }
  }

  @ParameterizedTest
  @CsvSource({"12,4", "13,4", "7,7", "9,5"})
  void withoutRepeatsABatchHoldsNoItemTwiceAndAnEpochNeither(int items, int batch) {
    BatchSampler sampler = BatchSampler.withoutRepeats(3, items, batch);
    int perEpoch = items / batch;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      int first = epoch * perEpoch;
      long different = IntStream.range(first, first + perEpoch).flatMap(step -> Arrays.stream(sampler.batch(step)))
          .distinct().count();
      assertEquals(perEpoch * batch, different, "epoch " + epoch);
    }
  }

  @Test
  void anyBatchCanBeAskedForAtOnce() {
    BatchSampler inOrder = new BatchSampler(9, 11, 4);
    int[][] batches = IntStream.range(0, 40).mapToObj(inOrder::batch).toArray(int[][]::new);
    for (int step : new int[] {39, 0, 17, 16, 38, 3}) {
      assertArrayEquals(batches[step], new BatchSampler(9, 11, 4).batch(step), "fresh, batch " + step);
      assertArrayEquals(batches[step], inOrder.batch(step), "used, batch " + step);
    }
  }

  @Test
  void epochsAndSeedsHaveOrdersOfTheirOwn() {
    BatchSampler sampler = new BatchSampler(1, 50, 50);
    assertFalse(Arrays.equals(sampler.batch(0), sampler.batch(1)), "two epochs");
    assertFalse(Arrays.equals(sampler.batch(0), new BatchSampler(2, 50, 50).batch(0)), "two seeds");
  }

  @Test
  void positionsBeyondIntAreFine() {
    int[] batch = new BatchSampler(1, 3, 1000).batch(Integer.MAX_VALUE);
    assertFalse(Arrays.stream(batch).anyMatch(item -> item < 0 || item > 2));
  }

  @Test
  void emptyDataAndEmptyBatchesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BatchSampler(1, 0, 4));
    assertThrows(IllegalArgumentException.class, () -> new BatchSampler(1, 4, 0));
    assertThrows(IllegalArgumentException.class, () -> BatchSampler.withoutRepeats(1, 4, 0));
    assertThrows(IllegalArgumentException.class, () -> BatchSampler.withoutRepeats(1, 4, 5));
  }
}
