package org.diffusionrpo.bench.versus;

/** What of an operation is timed. */
enum Pass {
  /** Without anything kept for backward but what forward itself returns. */
  FORWARD,
  /** Backward alone, for every input and parameter, after one forward pass that is not timed. */
  BACKWARD;

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
