package org.diffusionrpo.kernels.cpu;

/** Elementwise inner loops on array ranges. Written twice: with vectors and in plain Java. */
interface ArrayMath {
  /** Float lanes of one vector; 1 for plain Java. */
  int lanes();
}
