package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class GoldenFillTest {
  @Test
  void numbersNeverChange() { // else they would no longer be those that the reference networks were run with
    float[] first = {-0.2728395462036133f, 0.6638808250427246f, -0.8831180334091187f, -0.6258434057235718f,
        0.6793769598007202f, -0.8835247755050659f};
    assertArrayEquals(first, GoldenFill.sequence(0, 6));
    assertEquals(-0.10039830207824707f, GoldenFill.at(10_000_000));
  }
}
