package org.diffusionrpo.bench.oracle;

/** Holds numbers of an oracle to those that the networks' own sources gave. */
record Reference(String network, double tolerance) {
  /** Throws {@link IllegalStateException} unless the relative difference is within the tolerance. */
  void require(String what, double expected, double actual) {
    if (!(Math.abs(actual - expected) <= tolerance * Math.abs(expected))) {
      throw new IllegalStateException(
          network + ": " + what + " is " + actual + ", but the reference gives " + expected);
    }
  }
}
