package org.diffusionrpo.diffusion.train;

/** Losses, gradients, weights or what they draw left all bounds. The message says what to do. */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DivergedException(String message) {
    super(message);
  }
}
