package org.diffusionrpo.bench.versus;

/**
 * Makes one side's computations. Each method prepares operands of random numbers where that side likes them best and
 * returns what is to be timed. A {@link Side} says which rows its worker can make.
 */
interface Worker {
  Runnable gemm(Row.Gemm row);

  default Runnable convolution(Row.Convolution row) {
    throw unsupported(row);
  }

  default Runnable attention(Row.Attention row) {
    throw unsupported(row);
  }

  default Runnable groupNormSilu(Row.GroupNormSilu row) {
    throw unsupported(row);
  }

  default Runnable layerNorm(Row.LayerNorm row) {
    throw unsupported(row);
  }

  default Runnable geglu(Row.Geglu row) {
    throw unsupported(row);
  }

  default Runnable unet(Row.UNet row) {
    throw unsupported(row);
  }

  default Runnable rpoStep(Row.RpoStep row) {
    throw unsupported(row);
  }

  private UnsupportedOperationException unsupported(Row row) {
    return new UnsupportedOperationException(getClass().getSimpleName() + " cannot make " + row.name());
  }
}
