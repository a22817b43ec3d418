package org.diffusionrpo.rpo.compare;

import java.util.Comparator;
import java.util.List;
import org.diffusionrpo.diffusion.train.DivergedException;

/** The same choice for every method: the smallest Fréchet distance on the validation split. */
final class Search {
  private Search() {}

  /**
   * The best candidate; the first of equals.
   *
   * @param results of the search; empty if there is but one candidate
   */
  static Candidate best(Method method, List<UnitResult> results, List<Candidate> candidates) {
    if (candidates.size() == 1) {
      return candidates.get(0);
    }
    return results.stream().filter(UnitResult::measured)
        .min(Comparator.comparingDouble(result -> result.score().frechet())).map(UnitResult::candidate)
        .orElseThrow(() -> new DivergedException("the search found no values for " + method.title() + " that do not "
            + "diverge; try smaller ones with --search-lr and --search-beta"));
  }
}
