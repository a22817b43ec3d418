package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class StorageTest {
  @OnEachBackend
  void halvesAreRoundedToNearestEven(Backend backend) {
    float[] values = {1, -2.5f, 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1p-11f, 1 + 0x3p-11f, 70_000};
    assertArrayEquals(new float[] {1, -2.5f, 1, 1 + 0x1p-6f, 1, 1, 70_144},
        backend.of(Shape.of(7), values, Storage.BF16).toArray());
    assertArrayEquals(
        new float[] {1, -2.5f, 1 + 0x1p-8f, 1 + 0x3p-8f, 1, 1 + 0x1p-9f, Float.POSITIVE_INFINITY},
        backend.of(Shape.of(7), values, Storage.F16).toArray());
  }

  @OnEachBackend
  void halvesTakeTwoBytes(Backend backend) {
    try (Tensor half = backend.of(Shape.of(3, 5), new float[15], Storage.BF16)) {
      assertEquals(30, backend.memory().liveBytes());
      assertEquals(Storage.BF16, half.storage());
    }
    assertEquals(0, backend.memory().liveBytes());
  }

  @OnEachBackend
  void hostArraysAreCopied(Backend backend) {
    float[] values = {1, 2, 3};
    Tensor x = backend.of(Shape.of(3), values);
    values[0] = 9;
    x.toArray()[1] = 9;
    assertArrayEquals(new float[] {1, 2, 3}, x.toArray());
    backend.write(x, values);
    assertArrayEquals(new float[] {9, 2, 3}, x.toArray());
    assertThrows(IllegalArgumentException.class, () -> backend.of(Shape.of(2), values));
  }
}
