package org.diffusionrpo.tensor;

import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.kernels.cpu.HalfFloats;

/**
 * The oracle: every operation as its formula, in plain loops over doubles. Fast backends are compared with it, so it
 * is written to be read and shares no arithmetic with them.
 */
public final class ReferenceBackend implements Backend {
  private final Memory memory = new Memory();

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public Memory memory() {
    return memory;
  }

  // ---- memory ----

  @Override
  public Tensor empty(Shape shape) {
    return Tensor.create(shape, new ReferenceBuffer(this, shape.size(), Storage.F32));
  }

  @Override
  public Tensor empty(Shape shape, Storage storage) {
    return Tensor.create(shape, new ReferenceBuffer(this, shape.size(), storage));
  }

  @Override
  public void write(Tensor y, int first, float[] values, int count) {
    check("write", y);
    OpChecks.piece("write", y, first, values, count);
    for (int i = 0; i < count; i++) {
      values(y)[first + i] = rounded(values[i], y.storage());
    }
  }

  private static float rounded(float value, Storage storage) {
    return switch (storage) {
      case F32 -> value;
      case BF16 -> HalfFloats.fromBf16(HalfFloats.toBf16(value));
      case F16 -> HalfFloats.fromFp16(HalfFloats.toFp16(value));
    };
  }

  @Override
  public void write(Tensor y, float[] values) {
    check("write", y);
    OpChecks.values("write", y.shape(), values);
    Arrays.setAll(values(y), i -> values[i]);
  }

  @Override
  public float[] toArray(Tensor x) {
    check("toArray", x);
    double[] values = values(x);
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /** The elements as they are, without rounding to float. */
  public double[] toDoubles(Tensor x) {
    check("toDoubles", x);
    return values(x).clone();
  }

  static double[] values(Tensor x) {
    return ((ReferenceBuffer) x.buffer()).values();
  }

  // ---- elementwise ----

  @Override
  public void copy(Tensor y, Tensor x) {
    check("copy", y, x);
    OpChecks.sameSize("copy", y, x);
    Arrays.setAll(values(y), i -> values(x)[i]);
  }

  @Override
  public void fill(Tensor y, float value) {
    check("fill", y);
    Arrays.fill(values(y), value);
  }

  @Override
  public void add(Tensor y, Tensor a, Tensor b) {
    check("add", y, a, b);
    OpChecks.sameShape("add", y, a, b);
    Arrays.setAll(values(y), i -> values(a)[i] + values(b)[i]);
  }

  @Override
  public void addTo(Tensor y, Tensor x) {
    check("addTo", y, x);
    OpChecks.sameShape("addTo", y, x);
    Arrays.setAll(values(y), i -> values(y)[i] + values(x)[i]);
  }

  @Override
  public void scale(Tensor y, Tensor x, float s) {
    check("scale", y, x);
    OpChecks.sameShape("scale", y, x);
    Arrays.setAll(values(y), i -> s * values(x)[i]);
  }

  @Override
  public void axpy(Tensor y, float a, Tensor x) {
    check("axpy", y, x);
    OpChecks.sameShape("axpy", y, x);
    Arrays.setAll(values(y), i -> values(y)[i] + a * values(x)[i]);
  }

  @Override
  public void lerp(Tensor average, Tensor x, float weight) {
    check("lerp", average, x);
    OpChecks.sameShape("lerp", average, x);
    Arrays.setAll(values(average), i -> (1.0 - weight) * values(average)[i] + weight * values(x)[i]);
  }

  @Override
  public void addBroadcast(Tensor y, Tensor x, Tensor v) {
    check("addBroadcast", y, x, v);
    OpChecks.sameShape("addBroadcast", y, x);
    OpChecks.trailing("addBroadcast", x, v);
    Arrays.setAll(values(y), i -> values(x)[i] + values(v)[i % v.size()]);
  }

  @Override
  public void sumRows(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumRows", dv, dy);
      OpChecks.trailing("sumRows", dy, dv);
      addRows(dv, dy);
    }
  }

  private static void addRows(Tensor dv, Tensor dy) {
    for (int i = 0; i < dy.size(); i++) {
      values(dv)[i % dv.size()] += values(dy)[i];
    }
  }

  @Override
  public void addPerSample(Tensor y, Tensor x, Tensor v) {
    check("addPerSample", y, x, v);
    OpChecks.sameShape("addPerSample", y, x);
    OpChecks.perSample("addPerSample", x, v);
    Arrays.setAll(values(y), i -> values(x)[i] + values(v)[sampleAndChannel(x, i)]);
  }

  @Override
  public void sumPositions(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumPositions", dv, dy);
      OpChecks.perSample("sumPositions", dy, dv);
      for (int i = 0; i < dy.size(); i++) {
        values(dv)[sampleAndChannel(dy, i)] += values(dy)[i];
      }
    }
  }

  /** Where element i of x [N, ..., C] stands in [N, C]. */
  private static int sampleAndChannel(Tensor x, int i) {
    return i / x.shape().sizeFrom(1) * x.dim(-1) + i % x.dim(-1);
  }

  @Override
  public void concat(Tensor y, Tensor a, Tensor b, int axis) {
    check("concat", y, a, b);
    OpChecks.concat("concat", y, a, b, axis);
    for (int i = 0; i < y.size(); i++) {
      int part = partOf(i, a, b, axis);
      values(y)[i] = part >= 0 ? values(a)[part] : values(b)[~part];
    }
  }

  @Override
  public void split(Tensor a, Tensor b, Tensor y, int axis) {
    check("split", a, b, y);
    OpChecks.concat("split", y, a, b, axis);
    for (int i = 0; i < y.size(); i++) {
      int part = partOf(i, a, b, axis);
      if (part >= 0) {
        values(a)[part] = values(y)[i];
      } else {
        values(b)[~part] = values(y)[i];
      }
    }
  }

  /** Element i of the whole: its index in a, or the complement of its index in b. */
  private static int partOf(int i, Tensor a, Tensor b, int axis) {
    int inA = a.shape().sizeFrom(axis);
    int inB = b.shape().sizeFrom(axis);
    int row = i / (inA + inB);
    int column = i % (inA + inB);
    return column < inA ? row * inA + column : ~(row * inB + column - inA);
  }

  // ---- linear maps ----

  @Override
  public void linearForward(Tensor y, Tensor x, Tensor weight, Tensor bias) {
    check("linearForward", y, x, weight, bias);
    OpChecks.linear("linearForward", y, x, weight, bias);
    int out = weight.dim(0);
    int in = weight.dim(1);
    for (int i = 0; i < y.size(); i++) {
      int row = i / out;
      int o = i % out;
      double sum = bias == null ? 0 : values(bias)[o];
      for (int c = 0; c < in; c++) {
        sum += values(x)[row * in + c] * values(weight)[o * in + c];
      }
      values(y)[i] = sum;
    }
  }

  @Override
  public void linearBackwardData(Tensor dx, Tensor dy, Tensor weight) {
    check("linearBackwardData", dx, dy, weight);
    OpChecks.linear("linearBackwardData", dy, dx, weight, null);
    int out = weight.dim(0);
    int in = weight.dim(1);
    for (int i = 0; i < dx.size(); i++) {
      int row = i / in;
      double sum = 0;
      for (int o = 0; o < out; o++) {
        sum += values(dy)[row * out + o] * values(weight)[o * in + i % in];
      }
      values(dx)[i] = sum;
    }
  }

  @Override
  public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x) {
    check("linearBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.linearGradients("linearBackwardWeight", dWeight, dBias, dy, x);
    if (dWeight != null) {
      int out = dWeight.dim(0);
      int in = dWeight.dim(1);
      for (int row = 0; row < x.shape().sizeBefore(-1); row++) {
        for (int i = 0; i < dWeight.size(); i++) {
          values(dWeight)[i] += values(dy)[row * out + i / in] * values(x)[row * in + i % in];
        }
      }
    }
    if (dBias != null) {
      addRows(dBias, dy);
    }
  }

  @Override
  public void conv2dForward(Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry) {
    check("conv2dForward", y, x, weight, bias);
    OpChecks.conv2d("conv2dForward", y, x, weight, bias, geometry);
    Arrays.setAll(values(y), i -> bias == null ? 0 : values(bias)[i % bias.size()]);
    forEachTap(y, x, weight, geometry, (atY, atX, atW) -> values(y)[atY] += values(x)[atX] * values(weight)[atW]);
  }

  @Override
  public void conv2dBackwardData(Tensor dx, Tensor dy, Tensor weight, Conv2dGeometry geometry) {
    check("conv2dBackwardData", dx, dy, weight);
    OpChecks.conv2d("conv2dBackwardData", dy, dx, weight, null, geometry);
    Arrays.fill(values(dx), 0);
    forEachTap(dy, dx, weight, geometry, (atY, atX, atW) -> values(dx)[atX] += values(dy)[atY] * values(weight)[atW]);
  }

  @Override
  public void conv2dBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x, Conv2dGeometry geometry) {
    check("conv2dBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.conv2dGradients("conv2dBackwardWeight", dWeight, dBias, dy, x, geometry);
    if (dWeight != null) {
      forEachTap(dy, x, dWeight, geometry,
          (atY, atX, atW) -> values(dWeight)[atW] += values(dy)[atY] * values(x)[atX]);
    }
    if (dBias != null) {
      addRows(dBias, dy);
    }
  }

  /** One product of a convolution, by the positions of its three factors. */
  private interface Tap {
    void at(int y, int x, int w);
  }

  private static void forEachTap(Tensor y, Tensor x, Tensor w, Conv2dGeometry g, Tap tap) {
    int channels = x.dim(3);
    for (int atY = 0; atY < y.size(); atY++) {
      int o = atY % y.dim(3);
      int column = atY / y.dim(3) % y.dim(2);
      int row = atY / (y.dim(3) * y.dim(2)) % y.dim(1);
      int sample = atY / y.shape().sizeFrom(1);
      for (int r = 0; r < w.dim(1); r++) {
        for (int s = 0; s < w.dim(2); s++) {
          int i = row * g.stride() + r - g.padTop();
          int j = column * g.stride() + s - g.padLeft();
          if (i < 0 || i >= x.dim(1) || j < 0 || j >= x.dim(2)) {
            continue;
          }
          for (int c = 0; c < channels; c++) {
            tap.at(atY, ((sample * x.dim(1) + i) * x.dim(2) + j) * channels + c,
                ((o * w.dim(1) + r) * w.dim(2) + s) * channels + c);
          }
        }
      }
    }
  }

  // ---- normalisation ----

  @Override
  public void groupNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormForward", x, y);
    OpChecks.groupNorm("groupNormForward", x, mean, rstd, groups, gamma, beta);
    ReferenceNorm.of(x, x.dim(0), groups).forward(y, mean, rstd, x, gamma, beta, eps);
  }

  @Override
  public void groupNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd, int groups) {
    check("groupNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("groupNormBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormBackward", x, mean, rstd, groups, gamma, dGamma, dBeta);
    ReferenceNorm.of(x, x.dim(0), groups).backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
  }

  @Override
  public void groupNormSiluForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormSiluForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormSiluForward", x, y);
    OpChecks.groupNorm("groupNormSiluForward", x, mean, rstd, groups, gamma, beta);
    groupNormForward(y, mean, rstd, x, gamma, beta, groups, eps);
    activationForward(Activation.SILU, y, y);
  }

  @Override
  public void groupNormSiluBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor beta, Tensor mean, Tensor rstd, int groups) {
    check("groupNormSiluBackward", dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd);
    OpChecks.sameShape("groupNormSiluBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormSiluBackward", x, mean, rstd, groups, gamma, beta, dGamma, dBeta);
    Tensor h = empty(x.shape());
    ReferenceNorm.of(x, x.dim(0), groups).normalize(h, mean, rstd, x, gamma, beta);
    activationBackward(Activation.SILU, h, dy, h);
    groupNormBackward(dx, dGamma, dBeta, h, x, gamma, mean, rstd, groups);
    h.close();
  }

  @Override
  public void layerNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, float eps) {
    check("layerNormForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("layerNormForward", x, y);
    OpChecks.layerNorm("layerNormForward", x, mean, rstd, gamma, beta);
    ReferenceNorm.of(x, x.shape().sizeBefore(-1), 1).forward(y, mean, rstd, x, gamma, beta, eps);
  }

  @Override
  public void layerNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd) {
    check("layerNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("layerNormBackward", x, dx, dy);
    OpChecks.layerNorm("layerNormBackward", x, mean, rstd, gamma, dGamma, dBeta);
    ReferenceNorm.of(x, x.shape().sizeBefore(-1), 1).backward(dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
  }

  // ---- activations ----

  @Override
  public void activationForward(Activation kind, Tensor y, Tensor x) {
    check("activationForward", y, x);
    OpChecks.sameShape("activationForward", y, x);
    Arrays.setAll(values(y), i -> ReferenceActivation.value(kind, values(x)[i]));
  }

  @Override
  public void activationBackward(Activation kind, Tensor dx, Tensor dy, Tensor x) {
    check("activationBackward", dx, dy, x);
    OpChecks.sameShape("activationBackward", dx, dy, x);
    Arrays.setAll(values(dx), i -> values(dy)[i] * ReferenceActivation.slope(kind, values(x)[i]));
  }

  @Override
  public void gegluForward(Tensor y, Tensor x) {
    check("gegluForward", y, x);
    OpChecks.geglu("gegluForward", y, x);
    for (int i = 0; i < y.size(); i++) {
      int a = i / y.dim(-1) * x.dim(-1) + i % y.dim(-1);
      int gate = a + y.dim(-1);
      values(y)[i] = values(x)[a] * ReferenceActivation.value(Activation.GELU, values(x)[gate]);
    }
  }

  @Override
  public void gegluBackward(Tensor dx, Tensor dy, Tensor x) {
    check("gegluBackward", dx, dy, x);
    OpChecks.sameShape("gegluBackward", dx, x);
    OpChecks.geglu("gegluBackward", dy, x);
    for (int i = 0; i < dy.size(); i++) {
      int a = i / dy.dim(-1) * x.dim(-1) + i % dy.dim(-1);
      int gate = a + dy.dim(-1);
      values(dx)[a] = values(dy)[i] * ReferenceActivation.value(Activation.GELU, values(x)[gate]);
      values(dx)[gate] = values(dy)[i] * values(x)[a] * ReferenceActivation.slope(Activation.GELU, values(x)[gate]);
    }
  }

  // ---- attention ----

  @Override
  public void attentionForward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
    check("attentionForward", out, lse, q, k, v);
    OpChecks.attention("attentionForward", out, lse, q, k, v, heads);
    new ReferenceAttention(q, k, v, heads, causal).forward(out, lse);
  }

  @Override
  public void attentionBackward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut, Tensor q, Tensor k, Tensor v,
      Tensor out, Tensor lse, int heads, boolean causal) {
    check("attentionBackward", dq, dk, dv, dOut, q, k, v, out, lse);
    OpChecks.attention("attentionBackward", out, lse, q, k, v, heads);
    OpChecks.sameShape("attentionBackward", q, dq, dOut);
    OpChecks.sameShape("attentionBackward", k, dk, dv);
    new ReferenceAttention(q, k, v, heads, causal).backward(dq, dk, dv, dOut);
  }

  // ---- moving data ----

  @Override
  public void upsampleNearestForward(Tensor y, Tensor x) {
    check("upsampleNearestForward", y, x);
    OpChecks.upsample("upsampleNearestForward", y, x);
    Arrays.setAll(values(y), i -> values(x)[sourceOf(i, y, x)]);
  }

  @Override
  public void upsampleNearestBackward(Tensor dx, Tensor dy) {
    check("upsampleNearestBackward", dx, dy);
    OpChecks.upsample("upsampleNearestBackward", dy, dx);
    Arrays.fill(values(dx), 0);
    for (int i = 0; i < dy.size(); i++) {
      values(dx)[sourceOf(i, dy, dx)] += values(dy)[i];
    }
  }

  private static int sourceOf(int i, Tensor y, Tensor x) {
    int channels = y.dim(3);
    int column = i / channels % y.dim(2) * x.dim(2) / y.dim(2);
    int row = i / (channels * y.dim(2)) % y.dim(1) * x.dim(1) / y.dim(1);
    int sample = i / y.shape().sizeFrom(1);
    return ((sample * x.dim(1) + row) * x.dim(2) + column) * channels + i % channels;
  }

  @Override
  public void embeddingForward(Tensor y, Tensor table, int[] ids) {
    check("embeddingForward", y, table);
    OpChecks.embedding("embeddingForward", y, table, ids);
    int columns = table.dim(1);
    Arrays.setAll(values(y), i -> values(table)[ids[i / columns] * columns + i % columns]);
  }

  @Override
  public void embeddingBackward(Tensor dTable, Tensor dy, int[] ids) {
    if (dTable != null) {
      check("embeddingBackward", dTable, dy);
      OpChecks.embedding("embeddingBackward", dy, dTable, ids);
      int columns = dTable.dim(1);
      for (int i = 0; i < dy.size(); i++) {
        values(dTable)[ids[i / columns] * columns + i % columns] += values(dy)[i];
      }
    }
  }

  // ---- losses, norms and optimizers ----

  @Override
  public void squaredErrorPerSample(double[] out, Tensor a, Tensor b) {
    check("squaredErrorPerSample", a, b);
    OpChecks.sameShape("squaredErrorPerSample", a, b);
    OpChecks.require(out.length == a.dim(0), "squaredErrorPerSample", "one result per sample, not " + out.length, a);
    int columns = a.shape().sizeFrom(1);
    Arrays.fill(out, 0);
    for (int i = 0; i < a.size(); i++) {
      double difference = values(a)[i] - values(b)[i];
      out[i / columns] += difference * difference / columns;
    }
  }

  @Override
  public void squaredErrorBackward(Tensor da, Tensor a, Tensor b, float[] weight) {
    check("squaredErrorBackward", da, a, b);
    OpChecks.sameShape("squaredErrorBackward", a, da, b);
    OpChecks.require(weight.length == a.dim(0), "squaredErrorBackward", "one weight per sample, not " + weight.length,
        a);
    int columns = a.shape().sizeFrom(1);
    Arrays.setAll(values(da), i -> weight[i / columns] * 2 * (values(a)[i] - values(b)[i]) / columns);
  }

  @Override
  public double sumOfSquares(List<Tensor> xs) {
    check("sumOfSquares", xs.toArray(Tensor[]::new));
    return xs.stream().mapToDouble(x -> Arrays.stream(values(x)).map(value -> value * value).sum()).sum();
  }

  @Override
  public void adamW(Tensor w, Tensor g, Tensor m, Tensor v, AdamWStep step) {
    check("adamW", w, g, m, v);
    OpChecks.sameShape("adamW", w, g, m, v);
    for (int i = 0; i < w.size(); i++) {
      double gradient = values(g)[i];
      values(w)[i] *= 1 - (double) step.lr() * step.decay();
      values(m)[i] = step.beta1() * values(m)[i] + (1 - step.beta1()) * gradient;
      values(v)[i] = step.beta2() * values(v)[i] + (1 - step.beta2()) * gradient * gradient;
      values(w)[i] -= step.lr() * (values(m)[i] / step.correct1())
          / (Math.sqrt(values(v)[i] / step.correct2()) + step.eps());
    }
  }

  @Override
  public void adafactor(Tensor w, Tensor g, Tensor rows, Tensor columns, AdafactorStep step) {
    check("adafactor", w, g, rows, columns);
    OpChecks.adafactor("adafactor", w, g, rows, columns);
    ReferenceAdafactor.step(w, g, rows, columns, step);
  }

  @Override
  public void close() {}

  private void check(String op, Tensor... tensors) {
    OpChecks.sameBackend(op, this, tensors);
  }
}
