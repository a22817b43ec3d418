package org.diffusionrpo.tensor.ops;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.ReferenceBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * Wrong arguments fail before any work, with the same message on every backend. The first case of each operation
 * in {@link OpConformanceTest} is run with one tensor at a time exchanged for a wrong one.
 */
class OpMistakesTest {
  /** One tensor of any shape: no shape is wrong. */
  private static final Set<String> ANY_SHAPE = Set.of("fill", "sumOfSquares");

  @OnEachBackend
  void everyWrongShapeIsNamedWithTheSameWordsOnEveryBackend(Backend backend) {
    List<String> expected = failures(new ReferenceBackend(), OpMistakesTest::oneColumnMore, ANY_SHAPE);
    assertEquals(expected, failures(backend, OpMistakesTest::oneColumnMore, ANY_SHAPE));
    assertTrue(expected.stream().allMatch(message -> message.matches("[a-zA-Z0-9]+: .+; got( \\[.*])+")),
        () -> "without operation, rule and shapes: " + expected);
  }

  @OnEachBackend
  void everyTensorOfAnotherBackendIsRefused(Backend backend) {
    Backend other = new ReferenceBackend();
    List<String> messages = failures(backend, tensor -> other.zeros(tensor.shape()), Set.of());
    assertTrue(messages.stream().allMatch(message -> message.contains("belongs to another backend (reference)")),
        messages::toString);
    assertThrows(IllegalArgumentException.class, () -> backend.toArray(other.zeros(Shape.of(3))));
    assertThrows(IllegalArgumentException.class, () -> backend.write(other.zeros(Shape.of(1)), new float[1]));
    assertThrows(IllegalArgumentException.class, () -> backend.sumOfSquares(List.of(other.zeros(Shape.of(1)))));
  }

  @OnEachBackend
  void messagesNameTheRuleAndTheShapes(Backend b) {
    assertFails("linearForward: expected y [.., O], x [.., I], w [O, I]; got [3, 4] [3, 5] [4, 6]",
        () -> b.linearForward(gaussian(b, 1, 3, 4), gaussian(b, 1, 3, 5), gaussian(b, 1, 4, 6), null));
    assertFails("embeddingForward: id 7 is not in a table of 7 rows",
        () -> b.embeddingForward(gaussian(b, 1, 1, 4), gaussian(b, 1, 7, 4), new int[] {7}));
    assertFails("write: 2 values for shape [3]", () -> b.write(gaussian(b, 1, 3), new float[2]));
    assertFails("squaredErrorPerSample: one result per sample, not 3; got [2, 5]",
        () -> b.squaredErrorPerSample(new double[3], gaussian(b, 1, 2, 5), gaussian(b, 1, 2, 5)));
    assertFails("groupNormForward: 4 groups do not divide the channels; got [2, 3, 6]",
        () -> b.groupNormForward(gaussian(b, 1, 2, 3, 6), gaussian(b, 1, 2, 4), gaussian(b, 1, 2, 4),
            gaussian(b, 1, 2, 3, 6), gaussian(b, 1, 6), gaussian(b, 1, 6), 4, 1e-5f));
    assertFails("attentionForward: expected q, out [N, Tq, heads * D] and k, v [N, Tk, heads * D] with 0 heads; "
            + "got [1, 2, 6] [1, 2, 6] [1, 2, 6]",
        () -> b.attentionForward(gaussian(b, 1, 1, 2, 6), gaussian(b, 1, 1), gaussian(b, 1, 1, 2, 6),
            gaussian(b, 1, 1, 2, 6), gaussian(b, 1, 1, 2, 6), 0, false));
  }

  @OnEachBackend
  void aKernelLargerThanThePaddedImageIsRefused(Backend b) {
    Conv2dGeometry geometry = Conv2dGeometry.of(2, 0);
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> b.conv2dForward(
        gaussian(b, 1, 1, 1, 1, 4), gaussian(b, 1, 1, 2, 2, 3), gaussian(b, 1, 4, 3, 3, 3), null, geometry));
    assertTrue(e.getMessage().startsWith("conv2dForward: expected y [N, Ho, Wo, O]"), e::getMessage);
  }

  private static void assertFails(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  private static Tensor oneColumnMore(Tensor tensor) {
    return tensor.backend().zeros(tensor.shape().withLast(tensor.dim(-1) + 1));
  }

  /** The messages of all calls of all cases, with each tensor in turn made wrong. */
  private static List<String> failures(Backend backend, UnaryOperator<Tensor> wrong, Set<String> spared) {
    List<String> messages = new ArrayList<>();
    Set<String> operations = OpConformanceTest.byOperation().keySet();
    Backend probe = (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), new Class<?>[] {Backend.class},
        (proxy, method, arguments) -> {
          if (operations.contains(method.getName()) && !spared.contains(method.getName())) {
            for (int i = 0; i < arguments.length; i++) {
              if (arguments[i] instanceof Tensor tensor) {
                Object[] mistaken = arguments.clone();
                mistaken[i] = wrong.apply(tensor);
                messages.add(failure(backend, method, mistaken));
              }
            }
          }
          return method.invoke(backend, arguments);
        });
    OpConformanceTest.byOperation().values().forEach(cases -> cases.get(0).run(probe));
    return messages.stream().distinct().toList();
  }

  private static String failure(Backend backend, Method method, Object[] arguments) {
    Throwable cause = assertThrows(InvocationTargetException.class, () -> method.invoke(backend, arguments),
        () -> method.getName() + " accepted " + Arrays.toString(arguments)).getCause();
    assertEquals(IllegalArgumentException.class, cause.getClass(), () -> method.getName() + ": " + cause);
    return cause.getMessage();
  }
}
