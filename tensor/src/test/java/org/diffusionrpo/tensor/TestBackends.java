package org.diffusionrpo.tensor;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.cuda.CudaBackend;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** The list of backends that tests run on; what is added here is tested everywhere. */
public final class TestBackends implements TestTemplateInvocationContextProvider {
  static final List<Entry> ALL = List.of(
      new Entry("reference", ReferenceBackend::new, () -> null),
      new Entry("cpu", CpuBackend::poisoned, () -> null),
      new Entry("cuda", () -> TestGpu.with(() -> new CudaBackend(TestGpu.options())), TestGpu::missing));

  /**
   * One backend.
   *
   * @param missing why this machine cannot open it, which is what the skipped tests show; null when it can
   */
  record Entry(String name, Supplier<Backend> open, Supplier<String> missing) {}

  @Override
  public boolean supportsTestTemplate(ExtensionContext context) {
    return true;
  }

  @Override
  public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
    return ALL.stream().map(Invocation::new);
  }

  private record Invocation(Entry entry) implements TestTemplateInvocationContext {
    @Override
    public String getDisplayName(int index) {
      return entry.name;
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
      return List.of(new Opened(entry));
    }
  }

  /** Skips the test where the backend is missing; else hands it a fresh one and closes that at the end. */
  static final class Opened implements ExecutionCondition, ParameterResolver, AfterEachCallback {
    private final Entry entry;
    private Backend backend;

    Opened(Entry entry) {
      this.entry = entry;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      String missing = entry.missing.get();
      return missing == null
          ? ConditionEvaluationResult.enabled(entry.name + " is there")
          : ConditionEvaluationResult.disabled(entry.name + ": " + missing);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == Backend.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      backend = entry.open.get();
      return backend;
    }

    @Override
    public void afterEach(ExtensionContext context) {
      if (backend != null) {
        backend.close();
      }
    }
  }
}
