package org.diffusionrpo.rpo.compare;

import java.util.List;
import java.util.Locale;
import org.diffusionrpo.rpo.align.AlignSettings.Objective;

/** A row of the comparison. */
enum Method {
  BASE(null), SFT(Objective.SFT), DPO(Objective.DPO), RPO(Objective.RPO);

  /** The methods that make updates. */
  static final List<Method> TRAINED = List.of(SFT, DPO, RPO);

  private final Objective objective;

  Method(Objective objective) {
    this.objective = objective;
  }

  /** Null for the base model. */
  Objective objective() {
    return objective;
  }

  String title() {
    return objective == null ? "base model" : objective.title();
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
