package org.diffusionrpo.rpo.align;

/**
 * Learning rate and beta of each objective on the bundled model: what the search of {@code ./drpo compare} chose on the
 * validation split for 150 updates of 16 pairs. RPO's beta is larger than DPO's by about the contrast batch, because its
 * weights divide each logit among the contrasting losers. For Stable Diffusion 1.5 take the published values instead.
 *
 * @param loraLr rate of adapters: that of RPO was tried in one run at rank 8, the others were not
 */
record ObjectiveDefaults(double lr, double loraLr, double beta) {
  static ObjectiveDefaults of(AlignSettings.Objective objective) {
    return switch (objective) {
      case RPO -> new ObjectiveDefaults(3e-5, 1e-3, 64_000);
      case DPO -> new ObjectiveDefaults(3e-5, 1e-3, 4000);
      case SFT -> new ObjectiveDefaults(3e-4, 3e-3, 1);
    };
  }
}
