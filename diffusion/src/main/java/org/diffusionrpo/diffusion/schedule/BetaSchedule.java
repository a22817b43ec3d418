package org.diffusionrpo.diffusion.schedule;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the variances beta_0 .. beta_(T-1) run from their start to their end. */
public enum BetaSchedule {
  /** Evenly spaced. Ho et al. 2020, arXiv:2006.11239, section 4. */
  @JsonProperty("linear") LINEAR {
    @Override double[] betas(int timesteps, double start, double end) {
      double[] betas = new double[timesteps];
      for (int t = 0; t < timesteps; t++) {
        betas[t] = start + t * (end - start) / (timesteps - 1);
      }
      return betas;
    }
  },

  /** Evenly spaced square roots. Stable Diffusion, Rombach et al. 2022, arXiv:2112.10752. */
  @JsonProperty("scaled_linear") SCALED_LINEAR {
    @Override double[] betas(int timesteps, double start, double end) {
      double[] betas = LINEAR.betas(timesteps, Math.sqrt(start), Math.sqrt(end));
      for (int t = 0; t < timesteps; t++) {
        betas[t] *= betas[t];
      }
      return betas;
    }
  };

  abstract double[] betas(int timesteps, double start, double end);
}
