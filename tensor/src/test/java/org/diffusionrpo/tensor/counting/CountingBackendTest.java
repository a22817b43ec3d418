package org.diffusionrpo.tensor.counting;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.Test;

class CountingBackendTest {
  private final CountingBackend backend = new CountingBackend();

  @Test
  void operationsAreTwiceTheMultiplications() {
    try (MemoryScope scope = backend.scope()) {
      Tensor x = backend.empty(Shape.of(2, 5, 5, 3));
      Conv2dGeometry same = Conv2dGeometry.of(1, 1);
      backend.conv2dForward(backend.empty(Shape.of(2, 5, 5, 4)), x, backend.empty(Shape.of(4, 3, 3, 3)), null, same);
      assertEquals(2.0 * 2 * 25 * 4 * 27, backend.work().flops(Work.Kind.CONV3X3));
      assertEquals(Set.of(List.of(2, 5, 5, 3, 4)), backend.work().bySize(Work.Kind.CONV3X3).keySet());

      Tensor y = backend.empty(Shape.of(2, 5, 5, 7));
      backend.linearForward(y, x, backend.empty(Shape.of(7, 3)), null);
      assertEquals(2.0 * 50 * 3 * 7, backend.work().flops(Work.Kind.LINEAR));

      Tensor q = backend.empty(Shape.of(1, 6, 8));
      Tensor k = backend.empty(Shape.of(1, 9, 8));
      backend.attentionForward(q, backend.empty(Shape.of(1, 2, 6)), q, k, k, 2, false);
      assertEquals(2 * 2.0 * 6 * 9 * 8, backend.takeWork().flops(Work.Kind.ATTENTION));
      assertEquals(0, backend.work().flops());
    }
  }

  @Test
  void poolKeepsFloatsOfOneLengthForEachOther() {
    for (int i = 0; i < 3; i++) {
      backend.empty(Shape.of(10)).close();
    }
    assertEquals(40, backend.heldBytes());
    Tensor halves = backend.empty(Shape.of(10), Storage.F16);
    assertEquals(60, backend.heldBytes());
    assertEquals(20, backend.memory().liveBytes());
    assertEquals(40, backend.memory().peakBytes());
    halves.close();
    assertEquals(40, backend.heldBytes(), "half floats are not kept");
    Tensor used = backend.empty(Shape.of(5));
    backend.trim();
    assertEquals(20, backend.heldBytes(), "only what is in use");
    used.close();
    assertEquals(20, backend.heldBytes());
  }
}
