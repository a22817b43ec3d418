package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.diffusion.block.ResnetBlock2D;
import org.diffusionrpo.tensor.nn.Checkpoint;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * What the blocks of one level have in common: its place in the names, its width and its attention.
 *
 * @param checkpointing recompute each block in backward instead of keeping its activations
 */
record LevelBuilder(Parameters.Path path, UNetConfig config, int channels, boolean hasAttention, int heads, int depth,
    boolean checkpointing) {
  ConditionedLayer resnet(int index, int in) {
    return wrap(new ResnetBlock2D(path.at("resnets", index), in, channels, config.timeEmbedDim(),
        config.normNumGroups(), config.normEps()));
  }

  ConditionedLayer attention(int index) {
    return wrap(new Transformer2DModel(path.at("attentions", index), channels, config.crossAttentionDim(), heads,
        depth, config.normNumGroups(), config.linearProjection()));
  }

  private ConditionedLayer wrap(ConditionedLayer layer) {
    return checkpointing ? new Checkpoint(layer) : layer;
  }
}
