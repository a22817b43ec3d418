package org.diffusionrpo.tensor.nn;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.optim.AdamW;

class TapeTest {
  private final Parameters parameters = new Parameters();
  private final Linear linear = new Linear(parameters.root().at("fc"), 7, 7, true);
  private final Layer block = new Sequential(List.of(linear, new Pointwise(Activation.SILU),
      new LayerNorm(parameters.root().at("norm"), 7, 1e-5f)));

  @OnEachBackend
  void backwardInTheWrongOrderIsNamed(Backend backend) {
    TestTensors.randomize(parameters, backend, 1);
    Pointwise silu = new Pointwise(Activation.SILU);
    try (Tape tape = new Tape()) {
      Tensor y = silu.forward(linear.forward(gaussian(backend, 1, 3, 7), tape), tape);
      assertEquals("backward must mirror forward in reverse: Linear asks for its frame, the tape has Pointwise's",
          assertThrows(IllegalStateException.class, () -> linear.backward(y, tape)).getMessage());
      linear.backward(silu.backward(y, tape), tape);
      assertTrue(tape.isEmpty());
      assertEquals("backward must mirror forward in reverse: Linear asks for its frame, the tape has none",
          assertThrows(IllegalStateException.class, () -> linear.backward(y, tape)).getMessage());
    }
  }

  @OnEachBackend
  void framesOwnTheirTensorsUntilTheyClose(Backend backend) {
    Object owner = new Object();
    Tape tape = new Tape();
    try (MemoryScope scope = backend.scope()) {
      tape.push(owner, backend.of(Shape.of(2), new float[] {1, 2}));
      tape.push(owner, Shape.of(3, 4));
    }
    assertEquals(8, backend.memory().liveBytes());
    try (Tape.Frame frame = tape.pop(owner)) {
      assertEquals(Shape.of(3, 4), frame.shape());
      assertEquals(0, frame.size());
    }
    try (Tape.Frame frame = tape.pop(owner)) {
      assertEquals(2, frame.get(0).toArray()[1]);
    }
    assertEquals(0, backend.memory().liveBytes());
  }

  @OnEachBackend
  void withoutATapeNothingIsKept(Backend backend) {
    TestTensors.randomize(parameters, backend, 1);
    long before = backend.memory().liveBytes();
    try (MemoryScope scope = backend.scope()) {
      block.forward(gaussian(backend, 1, 3, 7), Tape.NONE).close();
      assertEquals(before + 3 * 7 * 4, backend.memory().liveBytes()); // x
    }
    assertFalse(Tape.NONE.records());
    assertTrue(Tape.NONE.isEmpty());
  }

  @OnEachBackend
  void anExceptionInTheMiddleFreesEverything(Backend backend) {
    TestTensors.randomize(parameters, backend, 1);
    long before = backend.memory().liveBytes();
    assertThrows(IllegalArgumentException.class, () -> {
      try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        Tensor y = block.forward(gaussian(backend, 1, 3, 7), tape);
        block.backward(y, tape);
        block.forward(y, tape);
        linear.forward(gaussian(backend, 1, 3, 6), tape);
      }
    });
    assertEquals(before, backend.memory().liveBytes());
  }

  @OnEachBackend
  void aTrainingStepLeavesNothingBehind(Backend backend) {
    TestTensors.randomize(parameters, backend, 1);
    AdamW adamW = new AdamW(parameters.all(), AdamW.Options.DEFAULT);
    long before = backend.memory().liveBytes();
    for (int step = 0; step < 3; step++) {
      parameters.zeroGrad();
      try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        Tensor y = block.forward(gaussian(backend, step, 3, 7), tape);
        block.backward(y, tape);
        assertTrue(tape.isEmpty());
      }
      adamW.step(1e-3);
      assertEquals(before, backend.memory().liveBytes());
    }
  }

  @OnEachBackend
  void checkpointsLowerThePeak(Backend backend) {
    List<Layer> blocks = List.of(block, block, block, block, block, block, block, block);
    TestTensors.randomize(parameters, backend, 1);
    long plain = peakOfOneStep(backend, blocks);
    long checkpointed = peakOfOneStep(backend, blocks.stream().map(TapeTest::checkpointed).toList());
    // Eight blocks keep three tensors each; checkpoints keep one, and the block in work keeps its own three.
    assertTrue(checkpointed < 0.6 * plain, () -> checkpointed + " bytes, without checkpoints " + plain);
  }

  private long peakOfOneStep(Backend backend, List<Layer> layers) {
    Layer model = new Sequential(layers);
    Tensor x = gaussian(backend, 1, 999, 7);
    long before = backend.memory().liveBytes();
    backend.memory().resetPeak();
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      Tensor y = model.forward(x, tape);
      model.backward(y, tape);
    }
    return backend.memory().peakBytes() - before;
  }

  private static Layer checkpointed(Layer layer) {
    Checkpoint checkpoint = new Checkpoint(new ConditionedLayer() {
      @Override
      public Tensor forward(Tensor x, Tensor condition, Tape tape) {
        return layer.forward(x, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tensor dCondition, Tape tape) {
        return layer.backward(dy, tape);
      }
    });
    return new Layer() {
      @Override
      public Tensor forward(Tensor x, Tape tape) {
        return checkpoint.forward(x, null, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tape tape) {
        return checkpoint.backward(dy, null, tape);
      }
    };
  }
}
