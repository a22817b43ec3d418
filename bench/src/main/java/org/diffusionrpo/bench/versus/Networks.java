package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.loss.ContrastWeights;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.diffusionrpo.rpo.loss.Similarity;

/** What the networks of both sides have in common. */
final class Networks {
  static final int TIMESTEP = 500;
  static final double LEARNING_RATE = 3e-5;
  static final double MAX_GRAD_NORM = 1;
  /** The defaults of {@code drpo align} on the bundled model. */
  static final double BETA = 64_000;
  static final double TAU = 0.5;

  private static final int EMBEDDING = 64;
  private static final String SD15 = """
      {"block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768, "attention_head_dim": 8,
       "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}""";

  private Networks() {}

  /** 859,520,964 parameters. */
  static UNetConfig stableDiffusion15() {
    try {
      return UNetConfig.from(ModelConfig.parse("Stable Diffusion 1.5", SD15));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static UNetConfig bundled() {
    return UNetConfig.from(config("unet"));
  }

  /** Tokens of a caption of the bundled model. */
  static int bundledTokens() {
    return config("text_encoder").integer("max_position_embeddings");
  }

  private static ModelConfig config(String component) {
    Path file = Bundled.require(Bundled.model()).resolve(component).resolve("config.json");
    try {
      return ModelConfig.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static DiffusionRpo rpoLoss() {
    return new DiffusionRpo(
        BETA, DiffusionRpo.Weighting.INSIDE, new ContrastWeights.Distance(Similarity.BOTH, TAU));
  }

  /** Random vectors of unit length in place of CLIP's. */
  static List<double[]> embeddings(String name, int count) {
    List<double[]> embeddings = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[] values = Operands.random(name + i, EMBEDDING);
      double squares = 0;
      for (float value : values) {
        squares += (double) value * value;
      }
      double[] unit = new double[EMBEDDING];
      for (int k = 0; k < EMBEDDING; k++) {
        unit[k] = values[k] / Math.sqrt(squares);
      }
      embeddings.add(unit);
    }
    return embeddings;
  }
}
