package org.diffusionrpo.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.ChildJvm;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class DeterminismTest {
  /** Enough for the compiler to replace every loop while its results are compared. */
  private static final int REPETITIONS = 2_000;

  @Test
  void everyOperationGivesTheSameBitsOnEveryRepetition() {
    Backend backend = new CpuBackend();
    OpConformanceTest.byOperation().forEach((op, cases) -> {
      OpCase opCase = cases.get(cases.size() / 2);
      int expected = OpHashes.of(opCase, backend);
      for (int i = 0; i < REPETITIONS; i++) {
        assertEquals(expected, OpHashes.of(opCase, backend), opCase::toString);
      }
    });
  }

  @Test
  void resultsDoNotDependOnTheNumberOfThreads() throws Exception {
    String one = ChildJvm.run(OpHashes.class, "-Ddrpo.threads=1");
    assertTrue(one.lines().count() > OpConformanceTest.byOperation().size(), one);
    assertEquals(one, ChildJvm.run(OpHashes.class, "-Ddrpo.threads=3"));
  }
}
