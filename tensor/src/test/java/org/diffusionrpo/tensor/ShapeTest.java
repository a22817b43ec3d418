package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {
  private final Shape shape = Shape.of(2, 3, 5, 7);

  @Test
  void rowsAndColumnsArePartsOfTheSize() {
    assertEquals(4, shape.rank());
    assertEquals(210, shape.size());
    assertEquals(7, shape.dim(-1));
    assertEquals(2, shape.dim(-4));
    assertEquals(30, shape.sizeBefore(-1));
    assertEquals(2, shape.sizeBefore(1));
    assertEquals(1, shape.sizeBefore(0));
    assertEquals(105, shape.sizeFrom(1));
    assertEquals(1, Shape.of().size());
  }

  @Test
  void oneExtentCanBeReplaced() {
    assertEquals(Shape.of(2, 3, 5, 11), shape.withLast(11));
    assertEquals("[2, 4, 5, 7]", shape.with(1, 4).toString());
    assertNotEquals(Shape.of(210), shape);
  }

  @Test
  void shapesDoNotChange() {
    int[] dims = {2, 3};
    Shape copied = Shape.of(dims);
    dims[0] = 9;
    copied.toArray()[1] = 9;
    assertArrayEquals(new int[] {2, 3}, copied.toArray());
  }

  @Test
  void impossibleShapesAreNamed() {
    assertEquals("shape [2, 0] has an extent below 1",
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, 0)).getMessage());
    assertEquals("shape [65536, 32768] has more than 2^31 - 1 elements",
        assertThrows(IllegalArgumentException.class, () -> Shape.of(65_536, 32_768)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> Shape.of(1 << 30, 1 << 30, 1 << 30, 0));
  }
}
