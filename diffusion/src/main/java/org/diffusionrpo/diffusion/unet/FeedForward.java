package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.diffusion.block.Consume;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Geglu;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/** The transformer block's MLP: C to 8 C, GEGLU to 4 C, back to C. {@code ff.net} in diffusers; net.1 is dropout. */
final class FeedForward implements Layer {
  private final Linear project;
  private final Geglu gate = new Geglu();
  private final Linear out;

  FeedForward(Parameters.Path path, int channels) {
    this.project = new Linear(path.at("net", 0).at("proj"), channels, 8 * channels, true);
    this.out = new Linear(path.at("net", 2), 4 * channels, channels, true);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor h = project.forward(x, tape);
    h = Consume.forward(gate, h, tape);
    return Consume.forward(out, h, tape);
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Tensor dh = out.backward(dy, tape);
    dh = Consume.backward(gate, dh, tape);
    return Consume.backward(project, dh, tape);
  }
}
