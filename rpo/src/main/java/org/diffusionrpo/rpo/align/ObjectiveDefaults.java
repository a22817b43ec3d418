package org.diffusionrpo.rpo.align;

/**
 * Learning rate and beta of each objective on the bundled model, tried on prompts of the validation split. RPO's beta
 * is larger than DPO's because its weights divide each logit by about the number of contrasting losers. For Stable
 * Diffusion 1.5 take the published values instead.
 */
record ObjectiveDefaults(double lr, double beta) {
  static ObjectiveDefaults of(AlignSettings.Objective objective) {
    return switch (objective) {
      case RPO -> new ObjectiveDefaults(1e-5, 20_000);
      case DPO -> new ObjectiveDefaults(1e-5, 2000);
      case SFT -> new ObjectiveDefaults(3e-5, 1);
    };
  }
}
