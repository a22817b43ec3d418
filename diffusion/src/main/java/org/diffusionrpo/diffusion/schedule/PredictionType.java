package org.diffusionrpo.diffusion.schedule;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What the network predicts for {@code x = alpha * x0 + sigma * eps}, {@code alpha^2 + sigma^2 = 1}. Every quantity is
 * a linear combination of x and the network's output, whose two weights the methods give.
 */
public enum PredictionType {
  /** The noise. Ho et al. 2020, arXiv:2006.11239. */
  @JsonProperty("epsilon") EPSILON {
    @Override Combination cleanSample(double alpha, double sigma) {
      return new Combination(1 / alpha, -sigma / alpha);
    }

    @Override Combination noise(double alpha, double sigma) {
      return new Combination(0, 1);
    }
  },

  /** The velocity {@code v = alpha * eps - sigma * x0}. Salimans and Ho 2022, arXiv:2202.00512, appendix D. */
  @JsonProperty("v_prediction") V_PREDICTION {
    @Override Combination cleanSample(double alpha, double sigma) {
      return new Combination(alpha, -sigma);
    }

    @Override Combination noise(double alpha, double sigma) {
      return new Combination(sigma, alpha);
    }
  },

  /** The clean sample x0 itself. */
  @JsonProperty("sample") SAMPLE {
    @Override Combination cleanSample(double alpha, double sigma) {
      return new Combination(0, 1);
    }

    @Override Combination noise(double alpha, double sigma) {
      return new Combination(1 / sigma, -alpha / sigma);
    }
  };

  /** {@code ofSample * x + ofOutput * output}. */
  record Combination(double ofSample, double ofOutput) {
    double of(double x, double output) {
      return ofSample * x + ofOutput * output;
    }
  }

  /** The predicted x0. */
  abstract Combination cleanSample(double alpha, double sigma);

  /** The predicted eps. */
  abstract Combination noise(double alpha, double sigma);
}
