package org.diffusionrpo.tensor;

/** Pointwise activations, with the names of diffusers' and transformers' configs. */
public enum Activation {
  /** x * sigmoid(x); Elfwing et al. 2017, arXiv:1702.03118. */
  SILU("silu"),
  /** x * Phi(x) with the exact normal distribution function; Hendrycks and Gimpel 2016, arXiv:1606.08415. */
  GELU("gelu"),
  /** x * sigmoid(1.702 x), the approximation that OpenAI's CLIP was trained with. */
  QUICK_GELU("quick_gelu");

  private final String configName;

  Activation(String configName) {
    this.configName = configName;
  }

  /** Parses {@code act_fn} or {@code hidden_act} of a config.json. */
  public static Activation fromConfig(String name) {
    for (Activation activation : values()) {
      if (activation.configName.equals(name)) {
        return activation;
      }
    }
    throw new IllegalArgumentException("activation '" + name + "': expected silu, gelu or quick_gelu");
  }
}
