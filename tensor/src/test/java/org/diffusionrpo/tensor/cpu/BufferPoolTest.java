package org.diffusionrpo.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.diffusionrpo.tensor.ChildJvm;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.Test;

class BufferPoolTest {
  @Test
  void aReturnedArrayServesTheNextRequestOfItsLength() {
    BufferPool pool = new BufferPool(false);
    float[] array = pool.take(7);
    assertNotSame(array, pool.take(7));
    pool.give(array);
    assertEquals(8, pool.take(8).length);
    assertSame(array, pool.take(7));
    pool.give(array);
    pool.clear();
    assertNotSame(array, pool.take(7));
  }

  @Test
  void poisonedMemoryReadsAsNotANumber() {
    CpuBackend backend = CpuBackend.poisoned();
    assertEquals(Float.NaN, backend.empty(Shape.of(3)).toArray()[2]);
    try (Tensor tensor = backend.zeros(Shape.of(5))) {
      assertEquals(0, tensor.toArray()[4]);
    }
    assertEquals(Float.NaN, backend.empty(Shape.of(5)).toArray()[4]);
  }

  @Test
  void tensorsReuseTheMemoryOfClosedOnes() {
    CpuBackend backend = new CpuBackend();
    try (Tensor first = backend.of(Shape.of(2, 3), new float[] {1, 2, 3, 4, 5, 6})) {
      assertEquals(6, first.toArray()[5]);
    }
    assertEquals(6, backend.empty(Shape.of(6)).toArray()[5]);
  }

  @Test
  void whenMemoryIsShortPooledArraysGoFirstWhoeverAsks() throws Exception {
    assertEquals("fits", ChildJvm.run(ShortOfMemory.class, "-Xmx64m", "-XX:+UseSerialGC"));
  }

  /** Fills the heap's old generation with a pooled array, then allocates one that needs its place. */
  static final class ShortOfMemory {
    public static void main(String[] args) {
      BufferPool pool = new BufferPool(false);
      pool.give(pool.take(7_000_000));
      System.out.print(new float[7_500_000].length == 7_500_000 ? "fits" : "wrong length");
    }
  }
}
