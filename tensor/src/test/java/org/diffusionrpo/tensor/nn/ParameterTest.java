package org.diffusionrpo.tensor.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ParameterTest {
  private final Backend backend = CpuBackend.poisoned();
  private final Parameters parameters = new Parameters();
  private final Parameter weight = parameters.root().at("layers", 3).matrix("weight", Shape.of(2, 3), Init.ONES);
  private final Parameter bias = parameters.root().at("layers", 3).create("bias", Shape.of(2), Init.ZEROS);

  @Test
  void valuesInHalfStorageCanBeSetAgain() {
    weight.set(backend, new float[] {1, 2, 3, 4, 5, 6}, Storage.BF16);
    weight.set(backend, new float[] {6, 5, 4, 3, 2, 1}, Storage.BF16);
    assertArrayEquals(new float[] {6, 5, 4, 3, 2, 1}, weight.value().toArray());
    assertEquals(12, backend.memory().liveBytes());
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void valueIsFilledInPieces(Storage storage) throws IOException {
    float[] values = {1, 2, 3, 4, 5, 1 + 0x1p-9f}; // the last is a bf16 of 1 and an fp16 of itself
    for (int run = 0; run < 2; run++) { // into fresh memory, then in place
      weight.fill(backend, storage, value -> {
        backend.write(value, 4, new float[] {values[4], values[5], 9}, 2);
        backend.write(value, 0, values, 4);
      });
      assertArrayEquals(backend.of(Shape.of(6), values, storage).toArray(), weight.value().toArray());
    }
    assertEquals(storage, weight.value().storage());
    assertThrows(IllegalArgumentException.class, () -> backend.write(weight.value(), 5, values, 2));
    assertThrows(IllegalArgumentException.class, () -> backend.write(weight.value(), 0, values, 7));
    assertThrows(IllegalArgumentException.class, () -> backend.write(weight.value(), -1, values, 1));
  }

  @Test
  void namesAreThoseOfCheckpoints() {
    assertEquals("layers.3.weight", weight.name());
    assertTrue(weight.isMatrix());
    assertFalse(bias.isMatrix());
    assertEquals(8, parameters.count());
    assertEquals("the model has no parameter layers.3.scale",
        assertThrows(IllegalArgumentException.class, () -> parameters.get("layers.3.scale")).getMessage());
    assertThrows(IllegalStateException.class,
        () -> parameters.root().create("layers.3.bias", Shape.of(1), Init.ZEROS));
  }

  @Test
  void startingValuesDependOnTheNameAlone() {
    Parameters first = new Parameters();
    Parameters second = new Parameters();
    first.root().create("other", Shape.of(5), Init.normal(1));
    first.root().create("weight", Shape.of(5), Init.fanIn(9));
    second.root().create("weight", Shape.of(5), Init.fanIn(9));
    first.initialize(backend, 7);
    second.initialize(backend, 7);
    assertArrayEquals(first.get("weight").value().toArray(), second.get("weight").value().toArray());
    for (float value : first.get("weight").value().toArray()) {
      assertTrue(Math.abs(value) <= 1 / 3f);
    }
  }

  @Test
  void valuesAndGradientsOutliveEveryScope() {
    try (MemoryScope scope = backend.scope()) {
      parameters.initialize(backend, 1);
      parameters.unfreeze();
    }
    assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1}, weight.value().toArray());
    assertArrayEquals(new float[2], bias.grad().toArray());
    parameters.freeze();
    assertNull(bias.grad());
    parameters.close();
    assertEquals(0, backend.memory().liveBytes());
  }

  @Test
  void halfStorageIsForFrozenParametersOnly() {
    parameters.initialize(backend, 1);
    weight.unfreeze();
    assertThrows(IllegalArgumentException.class, () -> weight.set(backend, new float[6], Storage.F16));
    weight.freeze();
    weight.set(backend, new float[6], Storage.F16);
    assertThrows(IllegalStateException.class, weight::unfreeze);
  }

  @Test
  void aParameterWithoutValueSaysSo() {
    assertEquals("parameter layers.3.bias has no value yet: load or initialise the model first",
        assertThrows(IllegalStateException.class, bias::value).getMessage());
  }

  @Test
  void copiesHoldTheRoundedValues() {
    parameters.initialize(backend, 1);
    bias.set(backend, new float[] {1 + 0x1p-9f, 2}, Storage.F32);
    Parameters copy = new Parameters();
    copy.root().at("layers", 3).matrix("weight", Shape.of(2, 3), Init.ZEROS);
    copy.root().at("layers", 3).create("bias", Shape.of(2), Init.ZEROS);
    copy.copyFrom(parameters, Storage.F32);
    assertArrayEquals(bias.value().toArray(), copy.get("layers.3.bias").value().toArray());
    copy.get("layers.3.weight").set(backend, new float[] {1, 1, 1, 1, 1, 1 + 0x1p-9f}, Storage.BF16);
    assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1}, copy.get("layers.3.weight").value().toArray());
  }
}
