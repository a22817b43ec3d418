package org.diffusionrpo.bench.versus;

/** How the operands of C = A B lie in memory; the three products of a linear layer y = x w^T. */
enum Form {
  /** Both row-major: the gradient dx = dy w. */
  NN(false, false),
  /** B is stored [n, k]: the forward pass y = x w^T. */
  NT(false, true),
  /** A is stored [k, m]: the gradient dw = dy^T x. */
  TN(true, false);

  final boolean transA;
  final boolean transB;

  Form(boolean transA, boolean transB) {
    this.transA = transA;
    this.transB = transB;
  }
}
