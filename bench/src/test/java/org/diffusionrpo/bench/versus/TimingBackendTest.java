package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class TimingBackendTest {
  private final CpuBackend inner = new CpuBackend();
  private final Times times = new Times();
  private final Backend backend = TimingBackend.around(inner, times);

  @Test
  void givesTheNumbersOfTheInnerBackendAndFreesItsMemory() {
    try (MemoryScope scope = backend.scope()) {
      Tensor x = backend.of(Shape.of(2, 3), new float[] {1, 2, 3, 4, 5, 6});
      backend.addTo(x, x);
      backend.addTo(x.reshape(6), x.reshape(6));
      assertArrayEquals(new float[] {4, 8, 12, 16, 20, 24}, x.toArray());
    }
    assertEquals(0, inner.memory().liveBytes());
  }

  @Test
  void countsCallsByOperationAndShape() {
    Tensor x = backend.zeros(Shape.of(2, 3));
    for (int i = 0; i < 4; i++) {
      backend.activationForward(Activation.SILU, x, x);
    }
    List<String> table = times.table(2, 1_000_000, 10);
    assertTrue(table.stream().anyMatch(line -> line.matches(".* 2  activationForward silu +\\[2, 3]")), table::toString);
  }

  @Test
  void passesErrorsOnAsTheyAre() {
    Tensor x = backend.zeros(Shape.of(2));
    Tensor y = backend.zeros(Shape.of(3));
    assertThrows(IllegalArgumentException.class, () -> backend.addTo(y, x));
  }
}
