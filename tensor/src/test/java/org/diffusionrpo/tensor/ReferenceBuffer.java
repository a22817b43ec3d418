package org.diffusionrpo.tensor;

import java.util.Arrays;

/** Doubles, which read as NaN until they are written. */
final class ReferenceBuffer extends Buffer {
  private double[] values;

  ReferenceBuffer(ReferenceBackend backend, int length, Storage storage) {
    super(backend, length, storage);
    values = new double[length];
    Arrays.fill(values, Double.NaN);
  }

  double[] values() {
    return values;
  }

  @Override
  protected void recycle() {
    values = null;
  }
}
