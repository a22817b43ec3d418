package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.bench.oracle.TorchClipText.Outputs;

/**
 * Small CLIP text towers with the gradients of all their parameters. The folder of a tower holds config.json as of
 * transformers and golden.safetensors; the weights follow the {@link FillRule}. A golden file holds
 * <pre>
 *   input_ids [18] I64: two texts of nine tokens
 *   penultimate_hidden_state, last_hidden_state, grad_last_hidden_state [2, 9, hidden]
 *   text_embeds, grad_text_embeds [2, projection]                                 (with projection only)
 *   grad.NAME for each parameter, of the sum of last_hidden_state * grad_last_hidden_state and of
 *   text_embeds * grad_text_embeds
 * </pre>
 */
final class ClipTextGoldens {
  /** In the style of CLIP-L in Stable Diffusion. */
  static final ClipTextSettings SMALL = new ClipTextSettings(24, 56, 2, 3, true, 40, 9, 0);
  /** In the style of OpenCLIP bigG in SDXL. */
  static final ClipTextSettings SMALL_PROJECTION = new ClipTextSettings(24, 56, 3, 2, false, 40, 9, 20);

  private static final long[][] IDS = {{38, 5, 17, 39, 39, 39, 39, 39, 39}, {38, 22, 5, 1, 11, 5, 30, 39, 0}};
  private static final int HIDDEN_GRADIENT_START = 30_000_000;
  private static final int EMBEDS_GRADIENT_START = 40_000_000;

  private ClipTextGoldens() {}

  static void write(Path folder, ClipTextSettings settings) throws IOException {
    GoldenFile file = new GoldenFile();
    Tensors.scoped(() -> {
      LeafWeights weights = weights(settings, IDS);
      Outputs out = new TorchClipText(settings, weights).forward(IDS);
      file.put("input_ids", Arrays.stream(IDS).flatMapToLong(Arrays::stream).toArray());
      file.put("penultimate_hidden_state", out.penultimate());
      Tensor loss = weighted(file, "last_hidden_state", out.last(), HIDDEN_GRADIENT_START);
      if (settings.hasProjection()) {
        loss = loss.add(weighted(file, "text_embeds", out.textEmbeds(), EMBEDS_GRADIENT_START));
      }
      loss.backward();
      file.putGradients(weights);
    });
    GoldenFile.writeConfig(folder, settings.config());
    file.write(folder.resolve("golden.safetensors"));
  }

  static LeafWeights weights(ClipTextSettings settings, long[][] ids) {
    return new LeafWeights(any -> new TorchClipText(settings, any).forward(ids));
  }

  private static Tensor weighted(GoldenFile file, String name, Tensor output, int gradientStart) {
    long[] shape = Tensors.shape(output);
    Tensor gradient = Tensors.constant(FillRule.input(gradientStart, Tensors.elements(shape)), shape);
    file.put(name, output);
    file.put("grad_" + name, gradient);
    return output.mul(gradient).sum();
  }
}
