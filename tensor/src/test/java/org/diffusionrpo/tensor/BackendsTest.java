package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class BackendsTest {
  @Test
  void backendsOpenByName() {
    try (Backend cpu = Backends.open("cpu"); Backend best = Backends.open("auto")) {
      assertEquals("cpu", cpu.name());
      assertEquals(0, best.memory().liveBytes());
    }
  }

  @Test
  void anUnknownNameDoesNotFallBack() {
    String message = assertThrows(IllegalArgumentException.class, () -> Backends.open("tpu")).getMessage();
    assertEquals("--backend tpu: expected ", message.substring(0, 24));
  }
}
