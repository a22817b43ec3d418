package org.diffusionrpo.tensor.optim;

import java.util.Map;
import org.diffusionrpo.tensor.Tensor;

/** Updates a fixed list of parameters from their gradients. */
public interface Optimizer extends AutoCloseable {
  /** One update with this learning rate; the gradients are left as they are. */
  void step(double lr);

  /** Updates so far. */
  int steps();

  /** Everything but {@link #steps} that the next update depends on, by a name that stays the same between runs. */
  Map<String, Tensor> state();

  /** Continues after {@code steps} updates; the tensors of {@link #state} must have been written before. */
  void resume(int steps);

  @Override
  void close();
}
