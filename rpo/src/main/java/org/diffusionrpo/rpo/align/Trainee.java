package org.diffusionrpo.rpo.align;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.nn.Parameters;

/** What an alignment trains: all weights of the UNet, or adapters on it. */
interface Trainee {
  /** Puts the weights back to the start and makes them trainable: every training begins here. */
  Parameters start() throws IOException;

  /** Ends a training: the weights stay, their gradients go. */
  void stop();

  /** The network before training. */
  Reference reference();

  /** Writes what was trained into the run folder. */
  void save(StableDiffusion model, RunFolder folder) throws IOException;
}
