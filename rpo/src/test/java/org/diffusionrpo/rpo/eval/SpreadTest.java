package org.diffusionrpo.rpo.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void spreadHasTheSampleDeviation() {
    Spread spread = Spread.of(1, 2, 4);
    assertEquals(7 / 3.0, spread.mean(), 1e-15);
    assertEquals(Math.sqrt(7 / 3.0), spread.deviation(), 1e-15);
    assertEquals("2.33 ± 1.53", spread.format(2));
  }

  @Test
  void oneSeedHasNoSpread() {
    assertTrue(Double.isNaN(Spread.of(3).deviation()));
    assertEquals("3.0", Spread.of(3).format(1));
    assertThrows(IllegalArgumentException.class, Spread::of);
  }
}
