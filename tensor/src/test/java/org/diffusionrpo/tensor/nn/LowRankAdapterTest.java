package org.diffusionrpo.tensor.nn;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.GradientCheck;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.Tolerances;
import org.junit.jupiter.api.Test;

/** Low-rank adapters on every kind of layer that takes one, on sizes that fill no vector. */
class LowRankAdapterTest {
  private static final int RANK = 3;
  private static final float SCALE = 0.7f;

  private final Parameters base = new Parameters();
  private final Parameters adapters = new Parameters();

  /** A layer and the shape of its input. */
  private record Case(String name, Function<Parameters.Path, Layer> layer, int... x) {}

  private static final List<Case> CASES = List.of(
      new Case("linear", path -> new Linear(path, 7, 5, true), 3, 7),
      new Case("linear of tokens", path -> new Linear(path, 5, 17, false), 2, 5, 5),
      new Case("convolution", path -> Conv2d.same3x3(path, 3, 5), 2, 4, 5, 3),
      new Case("with stride", path -> new Conv2d(path, 3, 5, 3, Conv2dGeometry.of(2, 1), true), 2, 5, 7, 3),
      new Case("pointwise", path -> Conv2d.pointwise(path, 7, 5), 2, 3, 3, 7));

  @OnEachBackend
  void gradientsOfAAndBAndX(Backend backend) {
    for (Case each : CASES) {
      Parameters own = new Parameters();
      Parameters added = new Parameters();
      Layer layer = adapted(backend, own, added, each);
      TestTensors.randomize(added, backend, 6);
      GradientCheck.Worst worst = GradientCheck.worstError(layer, added.all(), gaussian(backend, 1, each.x()));
      assertTrue(worst.isTolerable(), () -> each.name() + ": " + worst);
      own.all().forEach(parameter -> assertNull(parameter.grad(), each.name()));
    }
  }

  @OnEachBackend
  void forwardIsTheFormula(Backend backend) {
    Layer layer = new Linear(base.root(), 2, 2, true);
    set(backend, base.get("weight"), 1, 2, 3, 4);
    set(backend, base.get("bias"), 10, 20);
    base.slots().get("").attach(adapters.root(), 1, 0.5f);
    set(backend, adapters.get("lora_A.weight"), 2, -1);
    set(backend, adapters.get("lora_B.weight"), 3, 5);
    float[] y = layer.forward(backend.of(Shape.of(1, 2), new float[] {7, 4}), Tape.NONE)
        .toArray();
    // W x + b = [15 + 10, 37 + 20]; A x = 10; B A x / 2 = [15, 25]
    assertArrayEquals(new float[] {40, 82}, y);
  }

  @OnEachBackend
  void switchedOffItIsTheBaseLayerToTheBit(Backend backend) {
    for (Case each : CASES) {
      Parameters own = new Parameters();
      Parameters added = new Parameters();
      Layer layer = adapted(backend, own, added, each);
      TestTensors.randomize(added, backend, 6);
      Tensor x = gaussian(backend, 1, each.x());
      float[] on = layer.forward(x, Tape.NONE).toArray();
      own.slots().get("").detach();
      float[] without = layer.forward(x, Tape.NONE).toArray();
      LowRankAdapter adapter = own.slots().get("").attach(new Parameters().root(), RANK, SCALE);
      adapter.setEnabled(false); // it has no values: using it would throw
      assertArrayEquals(without, layer.forward(x, Tape.NONE).toArray(), each.name());
      assertFalse(Arrays.equals(without, on), each.name());
    }
  }

  @OnEachBackend
  void aNewAdapterChangesNothingYet(Backend backend) {
    Case each = CASES.get(0);
    Layer layer = each.layer().apply(base.root());
    base.initialize(backend, 5);
    Tensor x = gaussian(backend, 1, each.x());
    float[] before = layer.forward(x, Tape.NONE).toArray();
    base.slots().get("").attach(adapters.root(), RANK, SCALE);
    adapters.initialize(backend, 9);
    assertArrayEquals(before, layer.forward(x, Tape.NONE).toArray());
  }

  @OnEachBackend
  void mergedWeightsGiveTheSameOutput(Backend backend) {
    for (Storage storage : List.of(Storage.F32, Storage.BF16, Storage.F16)) {
      for (Case each : CASES) {
        Parameters own = new Parameters();
        Parameters added = new Parameters();
        Layer layer = adapted(backend, own, added, each);
        own.get("weight").set(backend, own.get("weight").value().toArray(), storage);
        TestTensors.randomize(added, backend, 6);
        Tensor x = gaussian(backend, 1, each.x());
        double[] y = TestTensors.doubles(layer.forward(x, Tape.NONE));
        AdapterSlot slot = own.slots().get("");
        float[] merged = slot.merged();
        slot.detach();
        own.get("weight").set(backend, merged, Storage.F32);
        double[] again = TestTensors.doubles(layer.forward(x, Tape.NONE));
        // Both are float sums of the same products in another order.
        assertTrue(Tolerances.nmse(again, y) < Tolerances.NMSE, each.name() + " " + storage);
      }
    }
  }

  @OnEachBackend
  void aCheckpointGivesTheSameBits(Backend backend) {
    Layer layer = adapted(backend, base, adapters, CASES.get(1));
    TestTensors.randomize(adapters, backend, 6);
    ConditionedLayer plain = new ConditionedLayer() {
      @Override
      public Tensor forward(Tensor x, Tensor condition, Tape tape) {
        return layer.forward(x, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tensor dCondition, Tape tape) {
        return layer.backward(dy, tape);
      }
    };
    float[][] once = gradients(backend, plain);
    float[][] again = gradients(backend, new Checkpoint(plain));
    for (int i = 0; i < once.length; i++) {
      assertArrayEquals(once[i], again[i]);
    }
  }

  @OnEachBackend
  void withoutAnInputGradientThoseOfTheAdapterAreTheSame(Backend backend) {
    Linear layer = (Linear) adapted(backend, base, adapters, CASES.get(1));
    TestTensors.randomize(adapters, backend, 6);
    Tensor x = gaussian(backend, 1, 2, 5, 5);
    Tensor dy = gaussian(backend, 2, 2, 5, 17);
    List<float[]> wanted = null;
    for (boolean withInput : new boolean[] {true, false}) {
      adapters.zeroGrad();
      try (Tape tape = new Tape()) {
        layer.forward(x, tape);
        if (withInput) {
          layer.backward(dy, tape);
        } else {
          layer.backwardParameters(dy, tape);
        }
        assertTrue(tape.isEmpty());
      }
      List<float[]> found = adapters.all().stream().map(p -> p.grad().toArray()).toList();
      for (int i = 0; wanted != null && i < found.size(); i++) {
        assertArrayEquals(wanted.get(i), found.get(i));
      }
      wanted = found;
    }
  }

  @OnEachBackend
  void aFrozenLayerDoesNotHoldItsInputBack(Backend backend) {
    for (Case each : CASES) {
      Parameters own = new Parameters();
      Layer layer = each.layer().apply(own.root());
      own.initialize(backend, 5);
      for (boolean frozen : new boolean[] {false, true}) {
        if (frozen) {
          own.freeze();
        } else {
          own.unfreeze();
        }
        try (Tape tape = new Tape()) {
          Tensor x = gaussian(backend, 1, each.x());
          layer.forward(x, tape).close();
          long before = backend.memory().liveBytes();
          x.close();
          assertEquals(frozen, backend.memory().liveBytes() < before, each.name());
        }
      }
    }
  }

  @OnEachBackend
  void startsAtANormalAAndAZeroB(Backend backend) {
    new Linear(base.root().at("to_q"), 4000, 11, false);
    base.slots().get("to_q").attach(adapters.root().at("to_q"), 8, 1);
    adapters.initialize(backend, 3);
    float[] a = adapters.get("to_q.lora_A.weight").value().toArray();
    double sum = 0;
    for (float value : a) {
      sum += value * value;
    }
    assertEquals(1.0 / 8, Math.sqrt(sum / a.length), 0.002, "32,000 draws tell the deviation to about 0.4 %");
    assertArrayEquals(new float[8 * 11], adapters.get("to_q.lora_B.weight").value().toArray());
  }

  @Test
  void aTrainedLayerAndASecondAdapterAreRefused() {
    try (Backend backend = Backends.open("cpu")) {
      new Linear(base.root(), 3, 2, false);
      base.initialize(backend, 1);
      AdapterSlot slot = base.slots().get("");
      base.unfreeze();
      assertThrows(IllegalStateException.class, () -> slot.attach(adapters.root(), 1, 1));
      base.freeze();
      slot.attach(adapters.root(), 1, 1);
      assertThrows(IllegalStateException.class, () -> slot.attach(new Parameters().root(), 1, 1));
    }
  }

  /** dx, then the gradients of A and B. */
  private float[][] gradients(Backend backend, ConditionedLayer layer) {
    adapters.zeroGrad();
    try (Tape tape = new Tape()) {
      layer.forward(gaussian(backend, 1, 2, 5, 5), null, tape);
      float[] dx = layer.backward(gaussian(backend, 2, 2, 5, 17), null, tape).toArray();
      return new float[][] {dx, adapters.get("lora_A.weight").grad().toArray(),
          adapters.get("lora_B.weight").grad().toArray()};
    }
  }

  private static Layer adapted(Backend backend, Parameters own, Parameters added, Case each) {
    Layer layer = each.layer().apply(own.root());
    own.initialize(backend, 5);
    own.slots().get("").attach(added.root(), RANK, SCALE);
    return layer;
  }

  private static void set(Backend backend, Parameter parameter, float... values) {
    parameter.set(backend, values, Storage.F32);
  }
}
