package org.diffusionrpo.tensor.counting;

import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.kernels.cpu.Attention;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Memory;
import org.diffusionrpo.tensor.OpChecks;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.counting.CountedMemory.Scratch;
import org.diffusionrpo.tensor.counting.Work.Kind;

/**
 * Computes nothing and holds nothing, but counts: the same code on it has the live and peak bytes of {@link #memory}
 * that it would have on the CPU, and its operations are added up in {@link #work}. All values read as 1, a number that
 * code may normalise and take logarithms of.
 */
public final class CountingBackend implements Backend {
  /** Floats of the transformed tiles of a convolution that the CPU's kernel makes at once. */
  private static final long MOST_TILES = 8L * 1024 * 1024;
  /** Minimal filtering makes 36 numbers of each tile of 4 x 4 pixels; here, of 2 x 2. */
  private static final long TILE_GROWTH = 9;

  private final Memory memory = new Memory();
  private final CountedMemory arrays = new CountedMemory();
  private Work work = new Work();

  /** Operations since the start or the last {@link #takeWork}. */
  public Work work() {
    return work;
  }

  /** The operations so far; counting begins anew. */
  public Work takeWork() {
    Work taken = work;
    work = new Work();
    return taken;
  }

  /** Bytes of the arrays that the CPU backend would hold now, in use or kept in its pool. */
  public long heldBytes() {
    return arrays.held();
  }

  /** Bytes of the large scratch arrays that kernels would have made by now, estimated from above. */
  public long scratchBytes() {
    return arrays.scratch();
  }

  @Override
  public String name() {
    return "counting";
  }

  @Override
  public Memory memory() {
    return memory;
  }

  // ---- memory ----

  @Override
  public void trim() {
    arrays.trim();
  }

  @Override
  public Tensor empty(Shape shape) {
    return empty(shape, Storage.F32);
  }

  @Override
  public Tensor empty(Shape shape, Storage storage) {
    return Tensor.create(shape, arrays.buffer(this, shape.size(), storage));
  }

  @Override
  public void write(Tensor y, float[] values) {
    OpChecks.values("write", y.shape(), values);
  }

  @Override
  public void write(Tensor y, int first, float[] values, int count) {
    OpChecks.piece("write", y, first, values, count);
  }

  @Override
  public float[] toArray(Tensor x) {
    float[] values = new float[x.size()];
    Arrays.fill(values, 1);
    return values;
  }

  // ---- elementwise ----

  @Override
  public void copy(Tensor y, Tensor x) {
    moved(y, x);
  }

  @Override
  public void fill(Tensor y, float value) {
    moved(y);
  }

  @Override
  public void add(Tensor y, Tensor a, Tensor b) {
    moved(y, a, b);
  }

  @Override
  public void addTo(Tensor y, Tensor x) {
    moved(y, y, x);
  }

  @Override
  public void scale(Tensor y, Tensor x, float s) {
    moved(y, x);
  }

  @Override
  public void axpy(Tensor y, float a, Tensor x) {
    moved(y, y, x);
  }

  @Override
  public void lerp(Tensor average, Tensor x, float weight) {
    moved(average, average, x);
  }

  @Override
  public void addBroadcast(Tensor y, Tensor x, Tensor v) {
    moved(y, x, v);
  }

  @Override
  public void sumRows(Tensor dv, Tensor dy) {
    moved(dv, dy);
  }

  @Override
  public void addPerSample(Tensor y, Tensor x, Tensor v) {
    moved(y, x, v);
  }

  @Override
  public void sumPositions(Tensor dv, Tensor dy) {
    moved(dv, dy);
  }

  @Override
  public void concat(Tensor y, Tensor a, Tensor b, int axis) {
    moved(y, a, b);
  }

  @Override
  public void split(Tensor a, Tensor b, Tensor y, int axis) {
    moved(a, b, y);
  }

  // ---- linear maps ----

  @Override
  public void linearForward(Tensor y, Tensor x, Tensor weight, Tensor bias) {
    OpChecks.linear("linearForward", y, x, weight, bias);
    linear(y, weight);
  }

  @Override
  public void linearBackwardData(Tensor dx, Tensor dy, Tensor weight) {
    linear(dy, weight);
  }

  @Override
  public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x) {
    if (dWeight != null) {
      linear(dy, dWeight);
    }
  }

  @Override
  public void conv2dForward(Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry) {
    OpChecks.conv2d("conv2dForward", y, x, weight, bias, geometry);
    conv2d(y, weight, geometry);
  }

  @Override
  public void conv2dBackwardData(Tensor dx, Tensor dy, Tensor weight, Conv2dGeometry geometry) {
    conv2d(dy, weight, geometry);
  }

  @Override
  public void conv2dBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x, Conv2dGeometry geometry) {
    if (dWeight != null) {
      conv2d(dy, dWeight, geometry);
    }
  }

  // ---- normalisation: forward reads x twice, backward dy and x ----

  @Override
  public void groupNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    moved(y, x, x);
  }

  @Override
  public void groupNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd, int groups) {
    moved(dx, dy, dy, x, x);
  }

  @Override
  public void groupNormSiluForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps) {
    moved(y, x, x);
  }

  /** The first pass writes the gradient of SiLU into dx, the second reads it. */
  @Override
  public void groupNormSiluBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor beta, Tensor mean, Tensor rstd, int groups) {
    moved(dx, dx, dx, dy, x, x);
  }

  @Override
  public void layerNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, float eps) {
    moved(y, x);
  }

  @Override
  public void layerNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma,
      Tensor mean, Tensor rstd) {
    moved(dx, dy, x);
  }

  // ---- activations ----

  @Override
  public void activationForward(Activation kind, Tensor y, Tensor x) {
    moved(y, x);
  }

  @Override
  public void activationBackward(Activation kind, Tensor dx, Tensor dy, Tensor x) {
    moved(dx, dy, x);
  }

  @Override
  public void gegluForward(Tensor y, Tensor x) {
    moved(y, x);
  }

  @Override
  public void gegluBackward(Tensor dx, Tensor dy, Tensor x) {
    moved(dx, dy, x);
  }

  // ---- attention: 2 products forward, 5 backward, where the scores are computed again ----

  @Override
  public void attentionForward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
    OpChecks.attention("attentionForward", out, lse, q, k, v, heads);
    attention(2, q, k, heads);
    arrays.need(Scratch.KEYS, 2L * k.size());
  }

  @Override
  public void attentionBackward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut, Tensor q, Tensor k, Tensor v,
      Tensor out, Tensor lse, int heads, boolean causal) {
    attention(5, q, k, heads);
    arrays.need(Scratch.QUERY_SHARES,
        Attention.backwardScratch(q.dim(0), q.dim(1), k.dim(1), heads, q.dim(2) / heads));
  }

  // ---- moving data ----

  @Override
  public void upsampleNearestForward(Tensor y, Tensor x) {
    moved(y, x);
  }

  @Override
  public void upsampleNearestBackward(Tensor dx, Tensor dy) {
    moved(dx, dy);
  }

  @Override
  public void embeddingForward(Tensor y, Tensor table, int[] ids) {
    moved(y, y);
  }

  @Override
  public void embeddingBackward(Tensor dTable, Tensor dy, int[] ids) {
    moved(dy, dy);
  }

  // ---- losses, norms and optimizers ----

  @Override
  public void squaredErrorPerSample(double[] out, Tensor a, Tensor b) {
    moved(a, b);
    Arrays.fill(out, 1);
  }

  @Override
  public void squaredErrorBackward(Tensor da, Tensor a, Tensor b, float[] weight) {
    moved(da, a, b);
  }

  @Override
  public double sumOfSquares(List<Tensor> xs) {
    moved(xs.toArray(Tensor[]::new));
    return xs.stream().mapToDouble(Tensor::size).sum();
  }

  @Override
  public void adamW(Tensor w, Tensor g, Tensor m, Tensor v, AdamWStep step) {
    moved(w, w, g, m, m, v, v);
  }

  @Override
  public void adafactor(Tensor w, Tensor g, Tensor rows, Tensor columns, AdafactorStep step) {
    moved(w, w, g, g, g); // three passes over the gradient
  }

  @Override
  public void close() {}

  private void moved(Tensor... tensors) {
    for (Tensor tensor : tensors) {
      if (tensor != null) {
        work.addBytes(tensor.buffer().bytes());
      }
    }
  }

  private void linear(Tensor y, Tensor weight) {
    int out = weight.dim(0);
    int in = weight.dim(1);
    int rows = y.size() / out;
    work.add(Kind.LINEAR, 2.0 * rows * in * out, rows, in, out);
    arrays.need(Scratch.RESULT, Math.max(y.size(), (long) rows * in));
  }

  /** A backward pass multiplies as often as the forward pass, whichever gradient it is for. */
  private void conv2d(Tensor y, Tensor weight, Conv2dGeometry geometry) {
    int out = weight.dim(0);
    int in = weight.dim(3);
    int taps = weight.dim(1) * weight.dim(2);
    int rows = y.size() / out;
    double operations = 2.0 * rows * out * in * taps;
    if (taps == 9 && geometry.stride() == 1) {
      work.add(Kind.CONV3X3, operations, y.dim(0), y.dim(1), y.dim(2), in, out);
      arrays.need(Scratch.TILES_IN, Math.min(MOST_TILES, TILE_GROWTH * rows * in / 4));
      arrays.need(Scratch.TILES_OUT, Math.min(MOST_TILES, TILE_GROWTH * rows * out / 4));
    } else {
      work.add(Kind.LINEAR, operations, rows, in * taps, out);
      arrays.need(Scratch.RESULT, Math.max(y.size(), (long) rows * in));
    }
  }

  private void attention(int products, Tensor q, Tensor k, int heads) {
    work.add(Kind.ATTENTION, 2.0 * products * q.size() * k.dim(1), q.dim(0), q.dim(1), k.dim(1), heads,
        q.dim(2) / heads);
  }
}
