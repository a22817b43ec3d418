package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;

class TestBackendsTest {
  @Test
  void aMissingBackendIsSkippedWithItsReason() {
    TestBackends.Entry absent = new TestBackends.Entry("absent", () -> {
      throw new AssertionError("a missing backend must not be opened");
    }, () -> "no such device");
    ConditionEvaluationResult result = new TestBackends.Opened(absent).evaluateExecutionCondition(null);
    assertTrue(result.isDisabled());
    assertEquals("absent: no such device", result.getReason().orElseThrow());
  }

  @Test
  void theOracleAndTheProcessorAreAlwaysTested() {
    assertEquals(List.of("reference", "cpu"), TestBackends.ALL.stream().map(TestBackends.Entry::name).toList()
        .subList(0, 2));
    for (TestBackends.Entry entry : TestBackends.ALL.subList(0, 2)) {
      assertFalse(new TestBackends.Opened(entry).evaluateExecutionCondition(null).isDisabled());
    }
  }

  @OnEachBackend
  void theBackendOfATestBearsTheNameItIsListedUnder(Backend backend) {
    assertTrue(TestBackends.ALL.stream().anyMatch(entry -> entry.name().equals(backend.name())), backend.name());
    assertEquals(0, backend.memory().liveBytes());
  }
}
