package org.diffusionrpo.rpo.align;

/**
 * Learning rate and beta of each objective on the bundled model, found by {@code ./drpo compare --search} on the
 * validation split. For Stable Diffusion 1.5 take the recipes' values instead.
 */
record ObjectiveDefaults(double lr, double beta) {
  static ObjectiveDefaults of(AlignSettings.Objective objective) {
    return switch (objective) {
      case RPO -> new ObjectiveDefaults(1e-4, 2000);
      case DPO -> new ObjectiveDefaults(1e-4, 1000);
      case SFT -> new ObjectiveDefaults(1e-4, 1);
    };
  }
}
