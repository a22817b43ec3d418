package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.bench.oracle.TorchUnet.Inputs;

/**
 * A small UNet with the gradients of all its parameters. The folder of a network holds config.json as of diffusers and
 * golden-HxW.safetensors; the weights follow the {@link FillRule}. A golden file holds
 * <pre>
 *   sample [2, 4, H, W]   timestep [2] I64   encoder_hidden_states [2, 5, contextWidth]
 *   text_embeds [2, D], time_ids [12] I64: two rows of six                  (SDXL only)
 *   output, grad_output [2, 4, H, W]
 *   grad.sample, grad.encoder_hidden_states, grad.NAME for each parameter   of sum(output * grad_output)
 * </pre>
 * in the layouts of PyTorch. Size 8x8 halves evenly; 7x9 needs the upsampling to sizes that are not the double.
 */
final class UnetGoldens {
  static final UnetSettings SMALL = new UnetSettings(List.of(16, 24), List.of(true, false), 2, 8, 12, List.of(2, 2),
      List.of(1, 1), false, 0, 0);
  static final UnetSettings SMALL_XL = new UnetSettings(List.of(16, 24), List.of(false, true), 1, 8, 12, List.of(2, 3),
      List.of(1, 2), true, 8, 64);

  static final int SAMPLE_START = 10_000_000;
  static final int CONTEXT_START = 20_000_000;
  static final int TEXT_START = 30_000_000;
  static final int TARGET_START = 40_000_000;
  private static final int SAMPLES = 2;
  private static final int TOKENS = 5;
  private static final long[] TIMESTEPS = {981, 7};
  private static final long[] TIME_IDS = {64, 48, 3, 5, 64, 48, 32, 32, 0, 0, 64, 64};

  private UnetGoldens() {}

  static void write(Path folder, UnetSettings settings) throws IOException {
    GoldenFile.writeConfig(folder, settings.config());
    write(folder, settings, 8, 8);
    if (!settings.hasAddedEmbedding()) {
      write(folder, settings, 7, 9);
    }
  }

  /** The inputs of every golden pass, as functions of the sizes alone. */
  static Inputs inputs(UnetSettings settings, int height, int width) {
    int channels = TorchUnet.LATENT_CHANNELS;
    Tensor sample = Tensors.leaf(FillRule.input(SAMPLE_START, SAMPLES * channels * height * width),
        SAMPLES, channels, height, width);
    Tensor context = Tensors.leaf(FillRule.input(CONTEXT_START, SAMPLES * TOKENS * settings.contextWidth()),
        SAMPLES, TOKENS, settings.contextWidth());
    if (!settings.hasAddedEmbedding()) {
      return new Inputs(sample, TIMESTEPS, context, null, null);
    }
    int textWidth = settings.addedWidth() - TIME_IDS.length / SAMPLES * settings.timeIdWidth();
    Tensor text = Tensors.constant(FillRule.input(TEXT_START, SAMPLES * textWidth), SAMPLES, textWidth);
    return new Inputs(sample, TIMESTEPS, context, text, TIME_IDS);
  }

  static LeafWeights weights(UnetSettings settings, Inputs in) {
    return new LeafWeights(any -> new TorchUnet(settings, any).forward(in));
  }

  private static void write(Path folder, UnetSettings settings, int height, int width) throws IOException {
    GoldenFile file = new GoldenFile();
    Tensors.scoped(() -> {
      Inputs in = inputs(settings, height, width);
      LeafWeights weights = weights(settings, in);
      Tensor output = new TorchUnet(settings, weights).forward(in);
      long[] shape = Tensors.shape(output);
      Tensor gradOutput = Tensors.constant(FillRule.input(TARGET_START, Tensors.elements(shape)), shape);
      output.mul(gradOutput).sum().backward();

      file.put("sample", in.sample());
      file.put("timestep", in.timesteps());
      file.put("encoder_hidden_states", in.context());
      if (settings.hasAddedEmbedding()) {
        file.put("text_embeds", in.textEmbeds());
        file.put("time_ids", in.timeIds());
      }
      file.put("output", output);
      file.put("grad_output", gradOutput);
      file.put("grad.sample", in.sample().grad());
      file.put("grad.encoder_hidden_states", in.context().grad());
      file.putGradients(weights);
    });
    file.write(folder.resolve("golden-" + height + "x" + width + ".safetensors"));
  }
}
