package org.diffusionrpo.tensor.cuda;

import java.util.List;
import java.util.Locale;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.kernels.cuda.Activations;
import org.diffusionrpo.kernels.cuda.Adafactor;
import org.diffusionrpo.kernels.cuda.AdamW;
import org.diffusionrpo.kernels.cuda.Attention;
import org.diffusionrpo.kernels.cuda.Conv2d;
import org.diffusionrpo.kernels.cuda.CudaDevice;
import org.diffusionrpo.kernels.cuda.CudaGraph;
import org.diffusionrpo.kernels.cuda.CudaOptions;
import org.diffusionrpo.kernels.cuda.DeviceBuffer;
import org.diffusionrpo.kernels.cuda.Elementwise;
import org.diffusionrpo.kernels.cuda.Embedding;
import org.diffusionrpo.kernels.cuda.Gemm;
import org.diffusionrpo.kernels.cuda.GroupNorm;
import org.diffusionrpo.kernels.cuda.LayerNorm;
import org.diffusionrpo.kernels.cuda.Operand;
import org.diffusionrpo.kernels.cuda.Reduce;
import org.diffusionrpo.kernels.cuda.Upsample;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Memory;
import org.diffusionrpo.tensor.OpChecks;
import org.diffusionrpo.tensor.Replay;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An NVIDIA GPU and the kernels of {@code org.diffusionrpo.kernels.cuda}: each operation is a check and one or two
 * calls. Operations return before the device is done; those that read back wait for it.
 */
public final class CudaBackend implements Backend {
  private static final Logger LOG = LoggerFactory.getLogger(CudaBackend.class);

  private final Memory memory = new Memory();
  private final CudaDevice device;
  private final Elementwise elementwise;
  private final Gemm gemm;
  private final Conv2d conv2d;
  private final GroupNorm groupNorm;
  private final LayerNorm layerNorm;
  private final Activations activations;
  private final Attention attention;
  private final Upsample upsample;
  private final Embedding embedding;
  private final Reduce reduce;
  private final AdamW adamW;
  private final Adafactor adafactor;

  /** @throws org.diffusionrpo.kernels.cuda.CudaException when there is no such device or a library is missing */
  public CudaBackend(CudaOptions options) {
    device = CudaDevice.open(options);
    elementwise = new Elementwise(device);
    gemm = new Gemm(device);
    conv2d = new Conv2d(device);
    groupNorm = new GroupNorm(device);
    layerNorm = new LayerNorm(device);
    activations = new Activations(device);
    attention = new Attention(device);
    upsample = new Upsample(device);
    embedding = new Embedding(device);
    reduce = new Reduce(device);
    adamW = new AdamW(device);
    adafactor = new Adafactor(device);
  }

  @Override
  public String name() {
    return "cuda";
  }

  /** The device, its libraries and the precision. */
  @Override
  public String describe() {
    return device.info() + ", " + device.options().precision().name().toLowerCase(Locale.ROOT) + ", " + device.describe();
  }

  @Override
  public Memory memory() {
    return memory;
  }

  // ---- memory ----

  @Override
  public long deviceMemory() {
    device.bind();
    return device.freeBytes();
  }

  @Override
  public void trim() {
    device.bind();
    device.memory().trim();
  }

  @Override
  public void synchronize() {
    device.bind();
    device.synchronize();
  }

  @Override
  public Replay record(Runnable work) {
    Replay plain = Backend.super.record(work);
    if (!device.options().graphs()) {
      return plain;
    }
    CudaGraph graph = device.graph(plain::run);
    return new Replay() {
      @Override
      public void run() {
        device.bind();
        graph.run();
      }

      @Override
      public void close() {
        graph.close();
      }
    };
  }

  @Override
  public Tensor empty(Shape shape) {
    return empty(shape, Storage.F32);
  }

  @Override
  public Tensor empty(Shape shape, Storage storage) {
    device.bind();
    return tensor(shape, storage, device.memory().take((long) shape.size() * storage.bytes()));
  }

  @Override
  public Tensor of(Shape shape, float[] values) {
    OpChecks.values("of", shape, values);
    device.bind();
    return tensor(shape, Storage.F32, device.memory().upload(values));
  }

  private Tensor tensor(Shape shape, Storage storage, DeviceBuffer buffer) {
    return Tensor.create(shape, new CudaBuffer(this, shape.size(), storage, buffer));
  }

  @Override
  public void write(Tensor y, float[] values) {
    check("write", y);
    OpChecks.values("write", y.shape(), values);
    device.memory().write(floats(y), 0, values, values.length);
  }

  @Override
  public void write(Tensor y, int first, float[] values, int count) {
    check("write", y);
    OpChecks.piece("write", y, first, values, count);
    DeviceBuffer buffer = buffer(y).device();
    long offset = (long) first * y.storage().bytes();
    if (y.storage() == Storage.F32) {
      device.memory().write(buffer, offset, values, count);
      return;
    }
    short[] halves = new short[count];
    if (y.storage() == Storage.BF16) {
      HalfFloats.toBf16(halves, 0, values, 0, count);
    } else {
      HalfFloats.toFp16(halves, 0, values, 0, count);
    }
    device.memory().write(buffer, offset, halves, count);
  }

  @Override
  public float[] toArray(Tensor x) {
    check("toArray", x);
    float[] values = new float[x.size()];
    if (x.storage() == Storage.F32) {
      device.memory().read(values, floats(x));
      return values;
    }
    short[] halves = new short[values.length];
    device.memory().read(halves, buffer(x).device());
    if (x.storage() == Storage.BF16) {
      HalfFloats.fromBf16(values, 0, halves, 0, values.length);
    } else {
      HalfFloats.fromFp16(values, 0, halves, 0, values.length);
    }
    return values;
  }

  // ---- elementwise ----

  @Override
  public void copy(Tensor y, Tensor x) {
    check("copy", y, x);
    OpChecks.sameSize("copy", y, x);
    device.memory().copy(floats(y), floats(x), x.buffer().bytes());
  }

  @Override
  public void fill(Tensor y, float value) {
    check("fill", y);
    elementwise.fill(floats(y), value, y.size());
  }

  @Override
  public void add(Tensor y, Tensor a, Tensor b) {
    check("add", y, a, b);
    OpChecks.sameShape("add", y, a, b);
    elementwise.add(floats(y), floats(a), floats(b), y.size());
  }

  @Override
  public void addTo(Tensor y, Tensor x) {
    check("addTo", y, x);
    OpChecks.sameShape("addTo", y, x);
    elementwise.addTo(floats(y), floats(x), y.size());
  }

  @Override
  public void scale(Tensor y, Tensor x, float s) {
    check("scale", y, x);
    OpChecks.sameShape("scale", y, x);
    elementwise.scale(floats(y), floats(x), s, y.size());
  }

  @Override
  public void axpy(Tensor y, float a, Tensor x) {
    check("axpy", y, x);
    OpChecks.sameShape("axpy", y, x);
    elementwise.axpy(floats(y), a, floats(x), y.size());
  }

  @Override
  public void lerp(Tensor average, Tensor x, float weight) {
    check("lerp", average, x);
    OpChecks.sameShape("lerp", average, x);
    elementwise.lerp(floats(average), floats(x), weight, x.size());
  }

  @Override
  public void addBroadcast(Tensor y, Tensor x, Tensor v) {
    check("addBroadcast", y, x, v);
    OpChecks.sameShape("addBroadcast", y, x);
    OpChecks.trailing("addBroadcast", x, v);
    elementwise.addBroadcast(floats(y), floats(x), floats(v), x.size() / v.size(), v.size());
  }

  @Override
  public void sumRows(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumRows", dv, dy);
      OpChecks.trailing("sumRows", dy, dv);
      elementwise.sumRows(floats(dv), floats(dy), dy.size() / dv.size(), dv.size());
    }
  }

  @Override
  public void addPerSample(Tensor y, Tensor x, Tensor v) {
    check("addPerSample", y, x, v);
    OpChecks.sameShape("addPerSample", y, x);
    OpChecks.perSample("addPerSample", x, v);
    elementwise.addPerSample(floats(y), floats(x), floats(v), v.dim(0), x.size() / v.size(), v.dim(1));
  }

  @Override
  public void sumPositions(Tensor dv, Tensor dy) {
    if (dv != null) {
      check("sumPositions", dv, dy);
      OpChecks.perSample("sumPositions", dy, dv);
      elementwise.sumPositions(floats(dv), floats(dy), dv.dim(0), dy.size() / dv.size(), dv.dim(1));
    }
  }

  @Override
  public void concat(Tensor y, Tensor a, Tensor b, int axis) {
    check("concat", y, a, b);
    OpChecks.concat("concat", y, a, b, axis);
    elementwise.concat(floats(y), floats(a), floats(b), y.shape().sizeBefore(axis), a.shape().sizeFrom(axis),
        b.shape().sizeFrom(axis));
  }

  @Override
  public void split(Tensor a, Tensor b, Tensor y, int axis) {
    check("split", a, b, y);
    OpChecks.concat("split", y, a, b, axis);
    elementwise.split(floats(a), floats(b), floats(y), y.shape().sizeBefore(axis), a.shape().sizeFrom(axis),
        b.shape().sizeFrom(axis));
  }

  // ---- linear maps ----

  @Override
  public void linearForward(Tensor y, Tensor x, Tensor weight, Tensor bias) {
    check("linearForward", y, x, weight, bias);
    OpChecks.linear("linearForward", y, x, weight, bias);
    int out = weight.dim(0);
    int in = weight.dim(1);
    int rows = x.size() / in;
    gemm.multiply(floats(y), out, Operand.f32(floats(x)), in, false, operand(weight), in, true, rows, out, in, 1, 0);
    addBias(y, bias, rows, out);
  }

  @Override
  public void linearBackwardData(Tensor dx, Tensor dy, Tensor weight) {
    check("linearBackwardData", dx, dy, weight);
    OpChecks.linear("linearBackwardData", dy, dx, weight, null);
    int out = weight.dim(0);
    int in = weight.dim(1);
    gemm.multiply(floats(dx), in, Operand.f32(floats(dy)), out, false, operand(weight), in, false, dy.size() / out, in,
        out, 1, 0);
  }

  @Override
  public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x) {
    check("linearBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.linearGradients("linearBackwardWeight", dWeight, dBias, dy, x);
    int rows = dy.shape().sizeBefore(-1);
    if (dWeight != null) {
      int out = dWeight.dim(0);
      int in = dWeight.dim(1);
      gemm.multiply(floats(dWeight), in, floats(dy), out, true, floats(x), in, false, out, in, rows, 1, 1);
    }
    if (dBias != null) {
      elementwise.sumRows(floats(dBias), floats(dy), rows, dy.dim(-1));
    }
  }

  @Override
  public void conv2dForward(Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry) {
    check("conv2dForward", y, x, weight, bias);
    OpChecks.conv2d("conv2dForward", y, x, weight, bias, geometry);
    conv2d.forward(floats(y), floats(x), operand(weight), geometry(x, weight, geometry));
    addBias(y, bias, y.shape().sizeBefore(-1), y.dim(-1));
  }

  @Override
  public void conv2dBackwardData(Tensor dx, Tensor dy, Tensor weight, Conv2dGeometry geometry) {
    check("conv2dBackwardData", dx, dy, weight);
    OpChecks.conv2d("conv2dBackwardData", dy, dx, weight, null, geometry);
    conv2d.backwardData(floats(dx), floats(dy), operand(weight), geometry(dx, weight, geometry));
  }

  @Override
  public void conv2dBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x, Conv2dGeometry geometry) {
    check("conv2dBackwardWeight", dWeight, dBias, dy, x);
    OpChecks.conv2dGradients("conv2dBackwardWeight", dWeight, dBias, dy, x, geometry);
    if (dWeight != null) {
      conv2d.backwardFilter(floats(dWeight), floats(dy), floats(x), geometry(x, dWeight, geometry));
    }
    if (dBias != null) {
      elementwise.sumRows(floats(dBias), floats(dy), dy.shape().sizeBefore(-1), dy.dim(-1));
    }
  }

  private void addBias(Tensor y, Tensor bias, int rows, int columns) {
    if (bias != null) {
      elementwise.addBroadcast(floats(y), floats(y), floats(bias), rows, columns);
    }
  }

  private static Geometry geometry(Tensor x, Tensor weight, Conv2dGeometry g) {
    return new Geometry(x.dim(0), x.dim(1), x.dim(2), x.dim(3), weight.dim(0), weight.dim(1), weight.dim(2),
        g.stride(), g.padTop(), g.padLeft(), g.padBottom(), g.padRight());
  }

  // ---- normalisation ----

  @Override
  public void groupNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormForward", x, y);
    OpChecks.groupNorm("groupNormForward", x, mean, rstd, groups, gamma, beta);
    groupNorm.forward(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta), x.dim(0),
        positions(x), x.dim(-1), groups, eps);
  }

  @Override
  public void groupNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd, int groups) {
    check("groupNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("groupNormBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormBackward", x, mean, rstd, groups, gamma, dGamma, dBeta);
    groupNorm.backward(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
        floats(mean), floats(rstd), x.dim(0), positions(x), x.dim(-1), groups);
  }

  @Override
  public void groupNormSiluForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    check("groupNormSiluForward", y, mean, rstd, x, gamma, beta);
    OpChecks.sameShape("groupNormSiluForward", x, y);
    OpChecks.groupNorm("groupNormSiluForward", x, mean, rstd, groups, gamma, beta);
    groupNorm.forwardSilu(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta), x.dim(0),
        positions(x), x.dim(-1), groups, eps);
  }

  @Override
  public void groupNormSiluBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor beta, Tensor mean, Tensor rstd, int groups) {
    check("groupNormSiluBackward", dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd);
    OpChecks.sameShape("groupNormSiluBackward", x, dx, dy);
    OpChecks.groupNorm("groupNormSiluBackward", x, mean, rstd, groups, gamma, beta, dGamma, dBeta);
    groupNorm.backwardSilu(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
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
    layerNorm.forward(floats(y), floats(mean), floats(rstd), floats(x), floats(gamma), floats(beta),
        x.shape().sizeBefore(-1), x.dim(-1), eps);
  }

  @Override
  public void layerNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd) {
    check("layerNormBackward", dx, dGamma, dBeta, dy, x, gamma, mean, rstd);
    OpChecks.sameShape("layerNormBackward", x, dx, dy);
    OpChecks.layerNorm("layerNormBackward", x, mean, rstd, gamma, dGamma, dBeta);
    layerNorm.backward(floats(dx), floatsOrNull(dGamma), floatsOrNull(dBeta), floats(dy), floats(x), floats(gamma),
        floats(mean), floats(rstd), x.shape().sizeBefore(-1), x.dim(-1));
  }

  // ---- activations ----

  @Override
  public void activationForward(Activation kind, Tensor y, Tensor x) {
    check("activationForward", y, x);
    OpChecks.sameShape("activationForward", y, x);
    switch (kind) {
      case SILU -> activations.siluForward(floats(y), floats(x), x.size());
      case GELU -> activations.geluForward(floats(y), floats(x), x.size());
      case QUICK_GELU -> activations.quickGeluForward(floats(y), floats(x), x.size());
    }
  }

  @Override
  public void activationBackward(Activation kind, Tensor dx, Tensor dy, Tensor x) {
    check("activationBackward", dx, dy, x);
    OpChecks.sameShape("activationBackward", dx, dy, x);
    switch (kind) {
      case SILU -> activations.siluBackward(floats(dx), floats(dy), floats(x), x.size());
      case GELU -> activations.geluBackward(floats(dx), floats(dy), floats(x), x.size());
      case QUICK_GELU -> activations.quickGeluBackward(floats(dx), floats(dy), floats(x), x.size());
    }
  }

  @Override
  public void gegluForward(Tensor y, Tensor x) {
    check("gegluForward", y, x);
    OpChecks.geglu("gegluForward", y, x);
    activations.gegluForward(floats(y), floats(x), y.shape().sizeBefore(-1), y.dim(-1));
  }

  @Override
  public void gegluBackward(Tensor dx, Tensor dy, Tensor x) {
    check("gegluBackward", dx, dy, x);
    OpChecks.sameShape("gegluBackward", dx, x);
    OpChecks.geglu("gegluBackward", dy, x);
    activations.gegluBackward(floats(dx), floats(dy), floats(x), dy.shape().sizeBefore(-1), dy.dim(-1));
  }

  // ---- attention ----

  @Override
  public void attentionForward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
    check("attentionForward", out, lse, q, k, v);
    OpChecks.attention("attentionForward", out, lse, q, k, v, heads);
    attention.forward(floats(out), floats(lse), floats(q), floats(k), floats(v), q.dim(0), q.dim(1), k.dim(1), heads,
        q.dim(2) / heads, causal);
  }

  @Override
  public void attentionBackward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut, Tensor q, Tensor k, Tensor v,
      Tensor out, Tensor lse, int heads, boolean causal) {
    check("attentionBackward", dq, dk, dv, dOut, q, k, v, out, lse);
    OpChecks.attention("attentionBackward", out, lse, q, k, v, heads);
    OpChecks.sameShape("attentionBackward", q, dq, dOut);
    OpChecks.sameShape("attentionBackward", k, dk, dv);
    attention.backward(floats(dq), floats(dk), floats(dv), floats(dOut), floats(q), floats(k), floats(v), floats(out),
        floats(lse), q.dim(0), q.dim(1), k.dim(1), heads, q.dim(2) / heads, causal);
  }

  // ---- moving data ----

  @Override
  public void upsampleNearestForward(Tensor y, Tensor x) {
    check("upsampleNearestForward", y, x);
    OpChecks.upsample("upsampleNearestForward", y, x);
    upsample.nearestForward(floats(y), floats(x), x.dim(0), x.dim(1), x.dim(2), x.dim(3), y.dim(1), y.dim(2));
  }

  @Override
  public void upsampleNearestBackward(Tensor dx, Tensor dy) {
    check("upsampleNearestBackward", dx, dy);
    OpChecks.upsample("upsampleNearestBackward", dy, dx);
    upsample.nearestBackward(floats(dx), floats(dy), dx.dim(0), dx.dim(1), dx.dim(2), dx.dim(3), dy.dim(1),
        dy.dim(2));
  }

  @Override
  public void embeddingForward(Tensor y, Tensor table, int[] ids) {
    check("embeddingForward", y, table);
    OpChecks.embedding("embeddingForward", y, table, ids);
    embedding.forward(floats(y), floats(table), ids, table.dim(1));
  }

  @Override
  public void embeddingBackward(Tensor dTable, Tensor dy, int[] ids) {
    if (dTable != null) {
      check("embeddingBackward", dTable, dy);
      OpChecks.embedding("embeddingBackward", dy, dTable, ids);
      embedding.backward(floats(dTable), floats(dy), ids, dTable.dim(1));
    }
  }

  // ---- losses, norms and optimizers ----

  @Override
  public void squaredErrorPerSample(double[] out, Tensor a, Tensor b) {
    check("squaredErrorPerSample", a, b);
    OpChecks.sameShape("squaredErrorPerSample", a, b);
    OpChecks.require(out.length == a.dim(0), "squaredErrorPerSample", "one result per sample, not " + out.length, a);
    reduce.squaredErrorPerSample(out, floats(a), floats(b), a.dim(0), a.size() / a.dim(0));
  }

  @Override
  public void squaredErrorBackward(Tensor da, Tensor a, Tensor b, float[] weight) {
    check("squaredErrorBackward", da, a, b);
    OpChecks.sameShape("squaredErrorBackward", a, da, b);
    OpChecks.require(weight.length == a.dim(0), "squaredErrorBackward", "one weight per sample, not " + weight.length,
        a);
    reduce.squaredErrorBackward(floats(da), floats(a), floats(b), weight, a.dim(0), a.size() / a.dim(0));
  }

  @Override
  public double sumOfSquares(List<Tensor> xs) {
    check("sumOfSquares", xs.toArray(Tensor[]::new));
    return reduce.sumOfSquares(xs.stream().map(CudaBackend::floats).toList(),
        xs.stream().mapToLong(Tensor::size).toArray());
  }

  @Override
  public void adamW(Tensor w, Tensor g, Tensor m, Tensor v, AdamWStep step) {
    check("adamW", w, g, m, v);
    OpChecks.sameShape("adamW", w, g, m, v);
    adamW.step(floats(w), floats(g), floats(m), floats(v), w.size(), step.lr(), step.beta1(), step.beta2(),
        step.eps(), step.decay(), step.correct1(), step.correct2());
  }

  @Override
  public void adafactor(Tensor w, Tensor g, Tensor rows, Tensor columns, AdafactorStep step) {
    check("adafactor", w, g, rows, columns);
    OpChecks.adafactor("adafactor", w, g, rows, columns);
    switch (w.shape().rank()) {
      case 2 -> adafactor.step(floats(w), floats(g), floats(rows), floats(columns), 1, w.dim(0), w.dim(1), 1, step.k(),
          step.lr(), step.decay());
      case 4 -> adafactor.step(floats(w), floats(g), floats(rows), floats(columns), w.dim(0), w.dim(1), w.dim(2),
          w.dim(3), step.k(), step.lr(), step.decay());
      default -> adafactor.step(floats(w), floats(g), floats(rows), w.size(), step.k(), step.lr(), step.decay());
    }
  }

  /** For tests: of tensors and of the kernels' workspace. */
  long deviceBytesInUse() {
    return device.memory().inUseBytes();
  }

  @Override
  public void close() {
    if (memory.liveBytes() > 0) { // as after an error; otherwise some owner forgets its tensors
      LOG.debug("Closing with {} bytes in tensors that nobody closed", memory.liveBytes());
    }
    device.close();
  }

  private void check(String op, Tensor... tensors) {
    device.bind();
    OpChecks.sameBackend(op, this, tensors);
  }

  private static CudaBuffer buffer(Tensor x) {
    return (CudaBuffer) x.buffer();
  }

  private static DeviceBuffer floats(Tensor x) {
    return buffer(x).floats();
  }

  private static DeviceBuffer floatsOrNull(Tensor x) {
    return x == null ? null : floats(x);
  }

  private static Operand operand(Tensor x) {
    return buffer(x).operand();
  }
}
