package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * Multi-head scaled dot-product attention. Vaswani et al. 2017, arXiv:1706.03762, section 3.2.
 * <pre>
 *   x [N, Tq, C]   context [N, Tk, X] (x itself for self-attention)   y [N, Tq, C]
 *   y = out( softmax(q k^T / sqrt(C / heads)) v ),   q = Wq x,  k = Wk context,  v = Wv context
 * </pre>
 * Channels are (head, width), head-major. The probabilities are never stored.
 */
public final class MultiHeadAttention {
  private final Linear toQ;
  private final Linear toK;
  private final Linear toV;
  private final Linear toOut;
  private final int heads;
  private final boolean causal;

  public MultiHeadAttention(Linear toQ, Linear toK, Linear toV, Linear toOut, int heads, boolean causal) {
    this.toQ = toQ;
    this.toK = toK;
    this.toV = toV;
    this.toOut = toOut;
    this.heads = heads;
    this.causal = causal;
  }

  /** Self-attention. */
  public Tensor forward(Tensor x, Tape tape) {
    return forward(x, x, tape);
  }

  /** Cross-attention: queries from x, keys and values from the context. */
  public Tensor forward(Tensor x, Tensor context, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor q = toQ.forward(x, tape);
      Tensor k = toK.forward(context, tape);
      Tensor v = toV.forward(context, tape);
      Tensor out = backend.empty(q.shape());
      Tensor lse = backend.empty(Shape.of(q.dim(0), heads, q.dim(1)));
      backend.attentionForward(out, lse, q, k, v, heads, causal);
      tape.push(this, q, k, v, out, lse);
      return scope.keep(toOut.forward(out, tape));
    }
  }

  /** Self-attention's dx. */
  public Tensor backward(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Gradients d = attention(dy, tape);
      Tensor dx = toV.backward(d.v, tape);
      backend.addTo(dx, toK.backward(d.k, tape));
      backend.addTo(dx, toQ.backward(d.q, tape));
      return scope.keep(dx);
    }
  }

  /** Cross-attention's dx; adds to {@code dContext} unless it is null. */
  public Tensor backward(Tensor dy, Tensor dContext, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Gradients d = attention(dy, tape);
      if (dContext == null) {
        toV.backwardParameters(d.v, tape);
        toK.backwardParameters(d.k, tape);
      } else {
        backend.addTo(dContext, toV.backward(d.v, tape));
        backend.addTo(dContext, toK.backward(d.k, tape));
      }
      return scope.keep(toQ.backward(d.q, tape));
    }
  }

  private Gradients attention(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    Tensor dOut = toOut.backward(dy, tape);
    try (Tape.Frame saved = tape.pop(this)) {
      Tensor q = saved.get(0);
      Tensor k = saved.get(1);
      Tensor v = saved.get(2);
      Gradients d = new Gradients(backend.empty(q.shape()), backend.empty(k.shape()), backend.empty(v.shape()));
      backend.attentionBackward(d.q, d.k, d.v, dOut, q, k, v, saved.get(3), saved.get(4), heads, causal);
      return d;
    }
  }

  private record Gradients(Tensor q, Tensor k, Tensor v) {}
}
