package org.diffusionrpo.kernels.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** A test class that shows as skipped, with the reason, where there is no {@link TestGpu}. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsGpu.Condition.class)
public @interface NeedsGpu {
  /** Whether the tests steer the emulated device, so that no real one will do. */
  boolean emulated() default false;

  /** Asks {@link TestGpu}. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (TestGpu.missing() != null) {
        return ConditionEvaluationResult.disabled(TestGpu.missing());
      }
      boolean emulated = AnnotationSupport.findAnnotation(context.getRequiredTestClass(), NeedsGpu.class).orElseThrow()
          .emulated();
      return emulated && TestGpu.isReal() ? ConditionEvaluationResult.disabled("steers the emulated device")
          : ConditionEvaluationResult.enabled("there is a GPU");
    }
  }
}
