package org.diffusionrpo.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.ReferenceBackend;
import org.diffusionrpo.tensor.Tolerances;
import org.junit.jupiter.api.Test;

/** Every operation of every backend against plain loops over doubles. */
public class OpConformanceTest {
  /** What makes, moves or describes memory or repeats other work; tests of their own cover it. */
  private static final Set<String> MEMORY = Set.of("name", "describe", "memory", "scope", "empty", "zeros", "of",
      "write", "toArray", "trim", "deviceMemory", "synchronize", "record", "close");

  public static List<OpCase> cases() {
    return Stream.of(ElementwiseCases.all(), LinearCases.all(), NormCases.all(), AttentionCases.all(),
        TrainingCases.all()).flatMap(List::stream).toList();
  }

  /** The cases of each operation, in the order of their lists, whose sizes grow. */
  static Map<String, List<OpCase>> byOperation() {
    return cases().stream().collect(Collectors.groupingBy(OpCase::op, TreeMap::new, Collectors.toList()));
  }

  @OnEachBackend
  void elementwiseOperationsMatchTheReference(Backend backend) {
    matchTheReference(backend, ElementwiseCases.all());
  }

  @OnEachBackend
  void linearLayersAndConvolutionsMatchTheReference(Backend backend) {
    matchTheReference(backend, LinearCases.all());
  }

  @OnEachBackend
  void normsMatchTheReference(Backend backend) {
    matchTheReference(backend, NormCases.all());
  }

  @OnEachBackend
  void attentionAndMovesMatchTheReference(Backend backend) {
    matchTheReference(backend, AttentionCases.all());
  }

  @OnEachBackend
  void lossesAndOptimizersMatchTheReference(Backend backend) {
    matchTheReference(backend, TrainingCases.all());
  }

  @Test
  void everyOperationHasACase() {
    Set<String> operations = Arrays.stream(Backend.class.getMethods()).map(Method::getName)
        .filter(name -> !MEMORY.contains(name)).collect(Collectors.toCollection(TreeSet::new));
    assertEquals(operations, byOperation().keySet());
  }

  static void matchTheReference(Backend backend, List<OpCase> cases) {
    Backend reference = new ReferenceBackend();
    assertAll(cases.stream().map(opCase -> () -> {
      Map<String, double[]> actual = opCase.run(backend);
      opCase.run(reference).forEach((name, expected) -> {
        double nmse = Tolerances.nmse(actual.get(name), expected);
        assertTrue(nmse <= Tolerances.NMSE, () -> opCase + ": NMSE of " + name + " is " + nmse);
      });
    }));
  }
}
