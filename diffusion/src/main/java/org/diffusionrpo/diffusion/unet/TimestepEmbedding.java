package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.diffusion.block.Consume;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Pointwise;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Two linear layers with SiLU between them, on a sinusoidal embedding; {@code time_embedding} and
 * {@code add_embedding} in diffusers.
 * <pre>
 *   x [N, I]     y [N, O] = linear_2(silu(linear_1(x)))
 * </pre>
 */
final class TimestepEmbedding implements Layer {
  private final Linear linear1;
  private final Layer act = new Pointwise(Activation.SILU);
  private final Linear linear2;

  TimestepEmbedding(Parameters.Path path, int in, int out) {
    this.linear1 = new Linear(path.at("linear_1"), in, out, true);
    this.linear2 = new Linear(path.at("linear_2"), out, out, true);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor h = linear1.forward(x, tape);
    h = Consume.forward(act, h, tape);
    return Consume.forward(linear2, h, tape);
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Tensor dh = linear2.backward(dy, tape);
    dh = Consume.backward(act, dh, tape);
    return Consume.backward(linear1, dh, tape);
  }

  /**
   * Sinusoidal embedding of each number, {@code [cos(all k), sin(all k)]} or sine first, in float32 as diffusers'
   * {@code get_timestep_embedding}: angle = value * exp(-ln(10000) k / (half - freqShift)).
   *
   * @return {@code [values.length, dim]}, row-major
   */
  static float[] sinusoid(float[] values, int dim, boolean flipSinToCos, float freqShift) {
    int half = dim / 2;
    float[] out = new float[values.length * dim];
    for (int k = 0; k < half; k++) {
      float exponent = (float) -Math.log(10000) * k / (half - freqShift);
      float frequency = (float) StrictMath.exp(exponent);
      for (int n = 0; n < values.length; n++) {
        float angle = values[n] * frequency;
        float sin = (float) StrictMath.sin(angle);
        float cos = (float) StrictMath.cos(angle);
        out[n * dim + k] = flipSinToCos ? cos : sin;
        out[n * dim + half + k] = flipSinToCos ? sin : cos;
      }
    }
    return out;
  }
}
