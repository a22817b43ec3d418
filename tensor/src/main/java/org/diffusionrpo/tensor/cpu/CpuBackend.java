package org.diffusionrpo.tensor.cpu;

import java.util.List;
import org.diffusionrpo.kernels.cpu.Activations;
import org.diffusionrpo.kernels.cpu.Adafactor;
import org.diffusionrpo.kernels.cpu.AdamW;
import org.diffusionrpo.kernels.cpu.Attention;
import org.diffusionrpo.kernels.cpu.Conv2d;
import org.diffusionrpo.kernels.cpu.Elementwise;
import org.diffusionrpo.kernels.cpu.Embedding;
import org.diffusionrpo.kernels.cpu.Gemm;
import org.diffusionrpo.kernels.cpu.GroupNorm;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.kernels.cpu.LayerNorm;
import org.diffusionrpo.kernels.cpu.Matrix;
import org.diffusionrpo.kernels.cpu.Reduce;
import org.diffusionrpo.kernels.cpu.Upsample;
import org.diffusionrpo.kernels.cpu.Weights;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Memory;
import org.diffusionrpo.tensor.OpChecks;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Java arrays and the kernels of {@code org.diffusionrpo.kernels.cpu}: each operation is a check and one call. */
public final class CpuBackend implements Backend {
  private final Memory memory = new Memory();
  private final BufferPool pool;

  public CpuBackend() {
    this(false);
  }

  private CpuBackend(boolean poison) {
    this.pool = new BufferPool(poison);
  }

  /** For tests: memory that was not written reads as NaN. */
  public static CpuBackend poisoned() {
    return new CpuBackend(true);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Memory memory() {
    return memory;
  }

  BufferPool pool() {
    return pool;
  }

  // ---- memory ----

  @Override
  public void trim() {
    pool.clear();
  }

  @Override
  public Tensor empty(Shape shape) {
    return Tensor.create(shape, new CpuBuffer(this, pool.take(shape.size())));
  }

  @Override
  public Tensor empty(Shape shape, Storage storage) {
    return switch (storage) {
      case F32 -> empty(shape);
      case BF16, F16 -> Tensor.create(shape, new CpuBuffer(this, new short[shape.size()], storage));
    };
  }

  @Override
  public void write(Tensor y, float[] values) {
    check("write", y);
    OpChecks.values("write", y.shape(), values);
    System.arraycopy(values, 0, floats(y), 0, values.length);
  }

  @Override
  public void write(Tensor y, int first, float[] values, int count) {
    check("write", y);
    OpChecks.piece("write", y, first, values, count);
    switch (y.storage()) {
      case F32 -> System.arraycopy(values, 0, floats(y), first, count);
      case BF16 -> HalfFloats.toBf16(buffer(y).halves(), first, values, 0, count);
      case F16 -> HalfFloats.toFp16(buffer(y).halves(), first, values, 0, count);
    }
  }

  @Override
  public float[] toArray(Tensor x) {
    check("toArray", x);
    CpuBuffer buffer = buffer(x);
    return switch (x.storage()) {
      case F32 -> buffer.floats().clone();
      case BF16 -> {
        float[] values = new float[x.size()];
        HalfFloats.fromBf16(values, 0, buffer.halves(), 0, values.length);
        yield values;
      }
      case F16 -> {
        float[] values = new float[x.size()];
        HalfFloats.fromFp16(values, 0, buffer.halves(), 0, values.length);
        yield values;
      }
    };
  }

  // ---- elementwise ----

  @Override
  public void copy(Tensor y, Tensor x) {
    check("copy", y, x);
    OpChecks.sameSize("copy", y, x);
    System.arraycopy(floats(x), 0, floats(y), 0, x.size());
  }

  @Override
  public void fill(Tensor y, float value) {
    check("fill", y);
    Elementwise.fill(floats(y), value, y.size());
  }

  @Override
  public void add(Tensor y, Tensor a, Tensor b) {
    check("add", y, a, b);
    OpChecks.sameShape("add", y, a, b);
    Elementwise.add(floats(y), floats(a), floats(b), y.size());
  }

  @Override
  public void addTo(Tensor y, Tensor x) {
    check("addTo", y, x);
    OpChecks.sameShape("addTo", y, x);
    Elementwise.addTo(floats(y), floats(x), y.size());
  }

  @Override
  public void scale(Tensor y, Tensor x, float s) {
    check("scale", y, x);
    OpChecks.sameShape("scale", y, x);
    Elementwise.scale(floats(y), floats(x), s, y.size());
  }

  @Override
  public void axpy(Tensor y, float a, Tensor x) {
    check("axpy", y, x);
    OpChecks.sameShape("axpy", y, x);
    Elementwise.axpy(floats(y), a, floats(x), y.size());
  }

  @Override
  public void lerp(Tensor average, Tensor x, float weight) {
    check("lerp", average, x);
    OpChecks.sameShape("lerp", average, x);
    Elementwise.lerp(floats(average), floats(x), weight, x.size());
  }

  @Override
  public void addBroadcast(Tensor y, Tensor x, Tensor v) {
    check("addBroadcast", y, x, v);
    OpChecks.sameShape("addBroadcast", y, x);
    OpChecks.trailing("addBroadcast", x, v);
    Elementwise.addBroadcast(floats(y), floats(x), floats(v), x.size() / v.size(), v.size());
  }

  @Override
  public void sumRows(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumRows", dv, dy);
      OpChecks.trailing("sumRows", dy, dv);
      Elementwise.sumRows(floats(dv), floats(dy), dy.size() / dv.size(), dv.size());
    }
  }

  @Override
  public void addPerSample(Tensor y, Tensor x, Tensor v) {
    check("addPerSample", y, x, v);
    OpChecks.sameShape("addPerSample", y, x);
    OpChecks.perSample("addPerSample", x, v);
    Elementwise.addPerSample(floats(y), floats(x), floats(v), v.dim(0), x.size() / v.size(), v.dim(1));
  }

  @Override
  public void sumPositions(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumPositions", dv, dy);
      OpChecks.perSample("sumPositions", dy, dv);
      Elementwise.sumPositions(floats(dv), floats(dy), dv.dim(0), dy.size() / dv.size(), dv.dim(1));
    }
  }

  @Override
  public void concat(Tensor y, Tensor a, Tensor b, int axis) {
    check("concat", y, a, b);
    OpChecks.concat("concat", y, a, b, axis);
    Elementwise.concat(floats(y), floats(a), floats(b), y.shape().sizeBefore(axis), a.shape().sizeFrom(axis),
        b.shape().sizeFrom(axis));
  }

  @Override
  public void split(Tensor a, Tensor b, Tensor y, int axis) {
    check("split", a, b, y);
    OpChecks.concat("split", y, a, b, axis);
    Elementwise.split(floats(a), floats(b), floats(y), y.shape().sizeBefore(axis), a.shape().sizeFrom(axis),
        b.shape().sizeFrom(axis));
  }

  // ---- linear maps ----

  @Override
  public void linearForward(Tensor y, Tensor x, Tensor weight, Tensor bias) {
    check("linearForward", y, x, weight, bias);
    OpChecks.linear("linearForward", y, x, weight, bias);
    int out = weight.dim(0);
    int in = weight.dim(1);
    Gemm.multiply(floats(y), Matrix.rowMajor(floats(x), 0, in), Matrix.transposed(weights(weight), 0, in),
        floatsOrNull(bias), x.size() / in, out, in, false);
  }

  @Override
  public void linearBackwardData(Tensor dx, Tensor dy, Tensor weight) {
    check("linearBackwardData", dx, dy, weight);
    OpChecks.linear("linearBackwardData", dy, dx, weight, null);
    int out = weight.dim(0);
    int in = weight.dim(1);
    Gemm.multiply(floats(dx), Matrix.rowMajor(floats(dy), 0, out), Matrix.rowMajor(weights(weight), 0, in), null,
        dy.size() / out, in, out, false);
  }

  @Override
  public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x) {
    check("linearBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.linearGradients("linearBackwardWeight", dWeight, dBias, dy, x);
    int rows = dy.shape().sizeBefore(-1);
    if (dWeight != null) {
      int out = dWeight.dim(0);
      int in = dWeight.dim(1);
      Gemm.multiply(floats(dWeight), Matrix.transposed(floats(dy), 0, out), Matrix.rowMajor(floats(x), 0, in), null,
          out, in, rows, true);
    }
    if (dBias != null) {
      Elementwise.sumRows(floats(dBias), floats(dy), rows, dy.dim(-1));
    }
  }

  @Override
  public void conv2dForward(Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry) {
    check("conv2dForward", y, x, weight, bias);
    OpChecks.conv2d("conv2dForward", y, x, weight, bias, geometry);
    Conv2d.forward(floats(y), floats(x), weights(weight), floatsOrNull(bias), geometry(x, weight, geometry));
  }

  @Override
  public void conv2dBackwardData(Tensor dx, Tensor dy, Tensor weight, Conv2dGeometry geometry) {
    check("conv2dBackwardData", dx, dy, weight);
    OpChecks.conv2d("conv2dBackwardData", dy, dx, weight, null, geometry);
    Conv2d.backwardData(floats(dx), floats(dy), weights(weight), geometry(dx, weight, geometry));
  }

  @Override
  public void conv2dBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x, Conv2dGeometry geometry) {
    check("conv2dBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.conv2dGradients("conv2dBackwardWeight", dWeight, dBias, dy, x, geometry);
    if (dWeight != null) {
      Conv2d.backwardFilter(floats(dWeight), floatsOrNull(dBias), floats(dy), floats(x),
          geometry(x, dWeight, geometry));
    } else if (dBias != null) {
      Elementwise.sumRows(floats(dBias), floats(dy), dy.shape().sizeBefore(-1), dy.dim(-1));
    }
  }

  private static Conv2d.Geometry geometry(Tensor x, Tensor weight, Conv2dGeometry g) {
    return new Conv2d.Geometry(x.dim(0), x.dim(1), x.dim(2), x.dim(3), weight.dim(0), weight.dim(1), weight.dim(2),
        g.stride(), g.padTop(), g.padLeft(), g.padBottom(), g.padRight());
  }

  // ---- normalisation ----

  @Override
  public void groupNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormForward", x, y);
    OpChecks.groupNorm("groupNormForward", x, mean, rstd, groups, gamma, beta);
    GroupNorm.forward(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta), x.dim(0),
        positions(x), x.dim(-1), groups, eps);
  }

  @Override
  public void groupNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd, int groups) {
    check("groupNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("groupNormBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormBackward", x, mean, rstd, groups, gamma, dGamma, dBeta);
    GroupNorm.backward(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
        floats(mean), floats(rstd), x.dim(0), positions(x), x.dim(-1), groups);
  }

  @Override
  public void groupNormSiluForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormSiluForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormSiluForward", x, y);
    OpChecks.groupNorm("groupNormSiluForward", x, mean, rstd, groups, gamma, beta);
    GroupNorm.forwardSilu(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta), x.dim(0),
        positions(x), x.dim(-1), groups, eps);
  }

  @Override
  public void groupNormSiluBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor beta, Tensor mean, Tensor rstd, int groups) {
    check("groupNormSiluBackward", dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd);
    OpChecks.sameShape("groupNormSiluBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormSiluBackward", x, mean, rstd, groups, gamma, beta, dGamma, dBeta);
    GroupNorm.backwardSilu(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
        floats(beta), floats(mean), floats(rstd), x.dim(0), positions(x), x.dim(-1), groups);
  }

  private static int positions(Tensor x) {
    return x.size() / (x.dim(0) * x.dim(-1));
  }

  @Override
  public void layerNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, float eps) {
    check("layerNormForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("layerNormForward", x, y);
    OpChecks.layerNorm("layerNormForward", x, mean, rstd, gamma, beta);
    LayerNorm.forward(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta),
        x.shape().sizeBefore(-1), x.dim(-1), eps);
  }

  @Override
  public void layerNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd) {
    check("layerNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("layerNormBackward", x, dx, dy);
    OpChecks.layerNorm("layerNormBackward", x, mean, rstd, gamma, dGamma, dBeta);
    LayerNorm.backward(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
        floats(mean), floats(rstd), x.shape().sizeBefore(-1), x.dim(-1));
  }

  // ---- activations ----

  @Override
  public void activationForward(Activation kind, Tensor y, Tensor x) {
    check("activationForward", y, x);
    OpChecks.sameShape("activationForward", y, x);
    switch (kind) {
      case SILU -> Activations.siluForward(floats(y), floats(x), x.size());
      case GELU -> Activations.geluForward(floats(y), floats(x), x.size());
      case QUICK_GELU -> Activations.quickGeluForward(floats(y), floats(x), x.size());
    }
  }

  @Override
  public void activationBackward(Activation kind, Tensor dx, Tensor dy, Tensor x) {
    check("activationBackward", dx, dy, x);
    OpChecks.sameShape("activationBackward", dx, dy, x);
    switch (kind) {
      case SILU -> Activations.siluBackward(floats(dx), floats(dy), floats(x), x.size());
      case GELU -> Activations.geluBackward(floats(dx), floats(dy), floats(x), x.size());
      case QUICK_GELU -> Activations.quickGeluBackward(floats(dx), floats(dy), floats(x), x.size());
    }
  }

  @Override
  public void gegluForward(Tensor y, Tensor x) {
    check("gegluForward", y, x);
    OpChecks.geglu("gegluForward", y, x);
    Activations.gegluForward(floats(y), floats(x), y.shape().sizeBefore(-1), y.dim(-1));
  }

  @Override
  public void gegluBackward(Tensor dx, Tensor dy, Tensor x) {
    check("gegluBackward", dx, dy, x);
    OpChecks.sameShape("gegluBackward", dx, x);
    OpChecks.geglu("gegluBackward", dy, x);
    Activations.gegluBackward(floats(dx), floats(dy), floats(x), dy.shape().sizeBefore(-1), dy.dim(-1));
  }

  // ---- attention ----

  @Override
  public void attentionForward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
    check("attentionForward", out, lse, q, k, v);
    OpChecks.attention("attentionForward", out, lse, q, k, v, heads);
    Attention.forward(floats(out), floats(lse), floats(q), floats(k), floats(v), q.dim(0), q.dim(1), k.dim(1), heads,
        q.dim(2) / heads, causal);
  }

  @Override
  public void attentionBackward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut, Tensor q, Tensor k, Tensor v,
      Tensor out, Tensor lse, int heads, boolean causal) {
    check("attentionBackward", dq, dk, dv, dOut, q, k, v, out, lse);
    OpChecks.attention("attentionBackward", out, lse, q, k, v, heads);
    OpChecks.sameShape("attentionBackward", q, dq, dOut);
    OpChecks.sameShape("attentionBackward", k, dk, dv);
    Attention.backward(floats(dq), floats(dk), floats(dv), floats(dOut), floats(q), floats(k), floats(v), floats(out),
        floats(lse), q.dim(0), q.dim(1), k.dim(1), heads, q.dim(2) / heads, causal);
  }

  // ---- moving data ----

  @Override
  public void upsampleNearestForward(Tensor y, Tensor x) {
    check("upsampleNearestForward", y, x);
    OpChecks.upsample("upsampleNearestForward", y, x);
    Upsample.nearestForward(floats(y), floats(x), x.dim(0), x.dim(1), x.dim(2), x.dim(3), y.dim(1), y.dim(2));
  }

  @Override
  public void upsampleNearestBackward(Tensor dx, Tensor dy) {
    check("upsampleNearestBackward", dx, dy);
    OpChecks.upsample("upsampleNearestBackward", dy, dx);
    Upsample.nearestBackward(floats(dx), floats(dy), dx.dim(0), dx.dim(1), dx.dim(2), dx.dim(3), dy.dim(1),
        dy.dim(2));
  }

  @Override
  public void embeddingForward(Tensor y, Tensor table, int[] ids) {
    check("embeddingForward", y, table);
    OpChecks.embedding("embeddingForward", y, table, ids);
    Embedding.forward(floats(y), floats(table), ids, table.dim(1));
  }

  @Override
  public void embeddingBackward(Tensor dTable, Tensor dy, int[] ids) {
    if (dTable != null) {
      check("embeddingBackward", dTable, dy);
      OpChecks.embedding("embeddingBackward", dy, dTable, ids);
      Embedding.backward(floats(dTable), floats(dy), ids, dTable.dim(1));
    }
  }

  // ---- losses, norms and optimizers ----

  @Override
  public void squaredErrorPerSample(double[] out, Tensor a, Tensor b) {
    check("squaredErrorPerSample", a, b);
    OpChecks.sameShape("squaredErrorPerSample", a, b);
    OpChecks.require(out.length == a.dim(0), "squaredErrorPerSample", "one result per sample, not " + out.length, a);
    Reduce.squaredErrorPerSample(out, floats(a), floats(b), a.dim(0), a.size() / a.dim(0));
  }

  @Override
  public void squaredErrorBackward(Tensor da, Tensor a, Tensor b, float[] weight) {
    check("squaredErrorBackward", da, a, b);
    OpChecks.sameShape("squaredErrorBackward", a, da, b);
    OpChecks.require(weight.length == a.dim(0), "squaredErrorBackward", "one weight per sample, not " + weight.length,
        a);
    Reduce.squaredErrorBackward(floats(da), floats(a), floats(b), weight, a.dim(0), a.size() / a.dim(0));
  }

  @Override
  public double sumOfSquares(List<Tensor> xs) {
    check("sumOfSquares", xs.toArray(Tensor[]::new));
    double sum = 0;
    for (Tensor x : xs) {
      sum += Reduce.sumOfSquares(floats(x), x.size());
    }
    return sum;
  }

  @Override
  public void adamW(Tensor w, Tensor g, Tensor m, Tensor v, AdamWStep step) {
    check("adamW", w, g, m, v);
    OpChecks.sameShape("adamW", w, g, m, v);
    AdamW.step(floats(w), floats(g), floats(m), floats(v), w.size(), step.lr(), step.beta1(), step.beta2(),
        step.eps(), step.decay(), step.correct1(), step.correct2());
  }

  @Override
  public void adafactor(Tensor w, Tensor g, Tensor rows, Tensor columns, AdafactorStep step) {
    check("adafactor", w, g, rows, columns);
    OpChecks.adafactor("adafactor", w, g, rows, columns);
    switch (w.shape().rank()) {
      case 2 -> Adafactor.step(floats(w), floats(g), floats(rows), floats(columns), 1, w.dim(0), w.dim(1), 1, step.k(),
          step.lr(), step.decay());
      case 4 -> Adafactor.step(floats(w), floats(g), floats(rows), floats(columns), w.dim(0), w.dim(1), w.dim(2),
          w.dim(3), step.k(), step.lr(), step.decay());
      default -> Adafactor.step(floats(w), floats(g), floats(rows), w.size(), step.k(), step.lr(), step.decay());
    }
  }

  @Override
  public void close() {
    pool.clear();
  }

  private void check(String op, Tensor... tensors) {
    OpChecks.sameBackend(op, this, tensors);
  }

  private static CpuBuffer buffer(Tensor x) {
    return (CpuBuffer) x.buffer();
  }

  private static float[] floats(Tensor x) {
    return buffer(x).floats();
  }

  private static float[] floatsOrNull(Tensor x) {
    return x == null ? null : floats(x);
  }

  private static Weights weights(Tensor x) {
    return buffer(x).weights();
  }
}
