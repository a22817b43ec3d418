package org.diffusionrpo.tensor;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test with one parameter, a {@link Backend}, that runs once on each of {@link TestBackends}. A backend that this
 * machine lacks shows as a skipped test with the reason.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(TestBackends.class)
public @interface OnEachBackend {}
