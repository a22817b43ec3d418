package org.diffusionrpo.diffusion.lora;

import java.util.List;
import org.diffusionrpo.diffusion.io.CheckpointMapping;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.nn.LowRankAdapter;
import org.diffusionrpo.tensor.nn.Parameter;

/** Adds LoRAs to the weights of a model: drawing with them then costs nothing, and several add up. */
public final class LoraMerge {
  private LoraMerge() {}

  /**
   * {@code W += strength (alpha / r) B A} for each layer, in float, then rounded to how the weight is stored.
   *
   * @param layers read for these modules
   */
  public static void add(LoraModules modules, List<LoraLayer> layers, double strength) {
    for (LoraLayer layer : layers) {
      Parameter weight = modules.find(layer.component() + "." + layer.module()).slot().weight();
      Backend backend = weight.value().backend();
      // A convolution's kernel may be flattened in a file only where it is 1 x 1, which has nothing to transpose.
      int[] dims = layer.down().dims();
      float[] down = dims.length == 2 ? layer.down().values()
          : CheckpointMapping.toMemory(Shape.of(dims[0], dims[2], dims[3], dims[1]), layer.down().values());
      weight.set(backend, LowRankAdapter.add(backend, weight.value().toArray(), layer.up().values(), down, layer.rank(),
          (float) (strength * layer.scale())), weight.value().storage());
    }
  }
}
