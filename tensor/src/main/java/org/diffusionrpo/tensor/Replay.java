package org.diffusionrpo.tensor;

/** Work of a backend that is asked for again and again, see {@link Backend#record}. */
public interface Replay extends AutoCloseable {
  /** Does the work on what its tensors hold now. */
  void run();

  /** Gives back what was kept to repeat the work. */
  @Override
  default void close() {}
}
