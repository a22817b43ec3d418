package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.counting.CountingBackend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class MovingOperationsTest {
  @Test
  void everyOperationCanBeRepeatedAndMovesSomething() {
    MovingOperations.of(2, 64).forEach((name, prepare) -> {
      Runnable run = prepare.apply(new CpuBackend());
      assertDoesNotThrow(run::run, name);
      assertDoesNotThrow(run::run, name);
      assertTrue(moved(prepare) > 0, name);
    });
  }

  private static double moved(Function<Backend, Runnable> prepare) {
    CountingBackend counting = new CountingBackend();
    Runnable run = prepare.apply(counting);
    counting.takeWork();
    run.run();
    return counting.takeWork().bytes();
  }
}
