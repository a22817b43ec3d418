package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MemoryScopeTest {
  private static final Shape SHAPE = Shape.of(5, 7);
  private static final long BYTES = 5 * 7 * 4;

  @OnEachBackend
  void aScopeReleasesWhatWasMadeInIt(Backend backend) {
    Tensor outside = backend.zeros(SHAPE);
    Tensor inside;
    try (MemoryScope scope = backend.scope()) {
      inside = backend.zeros(SHAPE);
      assertEquals(2 * BYTES, backend.memory().liveBytes());
    }
    assertTrue(outside.isOpen());
    assertFalse(inside.isOpen());
    assertEquals(BYTES, backend.memory().liveBytes());
  }

  @OnEachBackend
  void keepMovesATensorOneScopeOut(Backend backend) {
    Tensor kept;
    try (MemoryScope outer = backend.scope()) {
      try (MemoryScope inner = backend.scope()) {
        kept = inner.keep(backend.zeros(SHAPE));
      }
      assertTrue(kept.isOpen());
    }
    assertFalse(kept.isOpen());
    assertEquals(0, backend.memory().liveBytes());
  }

  @OnEachBackend
  void keepInTheOutermostScopeHandsTheTensorToTheCaller(Backend backend) {
    Tensor kept;
    try (MemoryScope scope = backend.scope()) {
      kept = scope.keep(backend.zeros(SHAPE));
    }
    assertEquals(BYTES, backend.memory().liveBytes());
    kept.close();
    assertEquals(0, backend.memory().liveBytes());
  }

  @OnEachBackend
  void keepLeavesTensorsOfOtherScopesWhereTheyAre(Backend backend) {
    Tensor tensor;
    try (MemoryScope outer = backend.scope()) {
      tensor = backend.zeros(SHAPE);
      try (MemoryScope inner = backend.scope()) {
        assertSame(tensor, inner.keep(tensor));
      }
      assertTrue(tensor.isOpen());
    }
    assertFalse(tensor.isOpen());
  }

  @OnEachBackend
  void aTensorCanBeClosedEarlyAndTwice(Backend backend) {
    try (MemoryScope scope = backend.scope()) {
      Tensor tensor = backend.zeros(SHAPE);
      tensor.close();
      assertEquals(0, backend.memory().liveBytes());
      tensor.close();
      assertEquals(0, backend.memory().liveBytes());
    }
    assertEquals(0, backend.memory().liveBytes());
  }

  @OnEachBackend
  void useAfterReleaseIsNamed(Backend backend) {
    Tensor tensor = backend.zeros(SHAPE);
    Tensor other = backend.zeros(SHAPE);
    tensor.close();
    assertEquals("tensor [5, 7] was used after it was released",
        assertThrows(IllegalStateException.class, tensor::toArray).getMessage());
    assertThrows(IllegalStateException.class, () -> backend.add(other, other, tensor));
    assertThrows(IllegalStateException.class, tensor::share);
    assertThrows(IllegalStateException.class, () -> tensor.reshape(35));
    assertEquals("Tensor[5, 7] (released)", tensor.toString());
  }

  @OnEachBackend
  void viewsShareMemoryUntilTheLastOwnerLetsGo(Backend backend) {
    Tensor tensor = backend.zeros(SHAPE);
    Tensor view;
    try (MemoryScope scope = backend.scope()) {
      view = tensor.reshape(7, 5);
      assertEquals(BYTES, backend.memory().liveBytes());
      backend.fill(view, 3);
    }
    assertFalse(view.isOpen());
    assertEquals(3, tensor.toArray()[34]);
    Tensor share = tensor.share();
    tensor.close();
    assertEquals(BYTES, backend.memory().liveBytes());
    assertEquals(3, share.toArray()[0]);
    share.close();
    assertEquals(0, backend.memory().liveBytes());
    assertThrows(IllegalArgumentException.class, () -> backend.zeros(SHAPE).reshape(6, 6));
  }

  @OnEachBackend
  void sharesBelongToNoScope(Backend backend) {
    Tensor share;
    try (MemoryScope scope = backend.scope()) {
      share = backend.of(Shape.of(2), new float[] {1, 2}).share();
    }
    assertArrayEquals(new float[] {1, 2}, share.toArray());
  }

  @OnEachBackend
  void scopesMustCloseInReverseOrder(Backend backend) {
    MemoryScope outer = backend.scope();
    backend.scope();
    assertEquals("memory scopes must close in the reverse order of opening",
        assertThrows(IllegalStateException.class, outer::close).getMessage());
  }

  @OnEachBackend
  void thePeakIsTheLargestSum(Backend backend) {
    try (MemoryScope scope = backend.scope()) {
      backend.zeros(SHAPE).close();
      backend.zeros(SHAPE);
      backend.zeros(SHAPE).close();
    }
    assertEquals(2 * BYTES, backend.memory().peakBytes());
    backend.memory().resetPeak();
    assertEquals(0, backend.memory().peakBytes());
  }
}
