package org.diffusionrpo.tensor;

import static org.diffusionrpo.tensor.TestTensors.gaussianValues;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

class ReplayTest {
  private static final Shape SHAPE = Shape.of(5, 7);

  @OnEachBackend
  void aReplayWorksOnWhatItsInputsHoldNow(Backend backend) {
    try (MemoryScope scope = backend.scope(); Tensor x = backend.empty(SHAPE); Tensor y = backend.empty(SHAPE);
        Replay twice = backend.record(() -> backend.add(y, x, x))) {
      for (int step = 0; step < 4; step++) {
        float[] values = gaussianValues(step, SHAPE.size());
        backend.write(x, values);
        twice.run();
        for (int i = 0; i < values.length; i++) {
          values[i] *= 2;
        }
        assertArrayEquals(values, y.toArray());
      }
    }
  }

  @OnEachBackend
  void whatTheWorkMakesIsReleasedAtItsEnd(Backend backend) {
    try (MemoryScope scope = backend.scope(); Tensor y = backend.zeros(SHAPE);
        Replay replay = backend.record(() -> backend.copy(y, backend.zeros(SHAPE)))) {
      long before = backend.memory().liveBytes();
      for (int step = 0; step < 3; step++) {
        replay.run();
        assertEquals(before, backend.memory().liveBytes());
      }
    }
  }
}
