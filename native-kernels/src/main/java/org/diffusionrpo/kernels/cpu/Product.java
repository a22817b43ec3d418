package org.diffusionrpo.kernels.cpu;

/**
 * {@code c [m, n] (=|+=) a [m, k] x b [k, n] + bias [n]}: what a macro-kernel computes. {@code c} is row-major at
 * {@code cOffset} with leading dimension {@code ldc}; {@code bias} may be null.
 */
record Product(float[] c, int cOffset, int ldc, PanelSource a, PanelSource b, float[] bias, int m, int n, int k,
    boolean accumulate) {}
