package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.bench.oracle.TorchClipText.Outputs;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

/** "a photo of a cat", padded, through the published text towers: all that Stable Diffusion 1.5 and XL take of them. */
class ClipTextParityTest {
  private static final int END = 49_407;
  private static final int[] PROMPT = {49_406, 320, 1125, 539, 320, 2368};

  @Test
  void clipL() throws IOException {
    compare("CLIP-L text", "clip-l14-text", ClipTextSettings.CLIP_L);
  }

  @Test
  void openClipBigG() throws IOException {
    compare("OpenCLIP bigG text", "openclip-bigg14-text-proj", ClipTextSettings.OPEN_CLIP_BIG_G);
  }

  private static void compare(String name, String manifest, ClipTextSettings settings) throws IOException {
    int[] ids = Arrays.copyOf(PROMPT, settings.positions());
    Arrays.fill(ids, PROMPT.length, ids.length, END);
    try (FilledWeights weights = new FilledWeights(manifest)) {
      List<float[]> actual = product(settings, weights, ids);
      double[][] expected = Parity.oracle(weights, source -> {
        Outputs out = new TorchClipText(settings, source)
            .forward(new long[][] {Arrays.stream(ids).asLongStream().toArray()});
        return settings.hasProjection()
            ? new Tensor[] {out.penultimate(), out.last(), out.textEmbeds()}
            : new Tensor[] {out.penultimate(), out.last()};
      });
      Parity.check(name + ", hidden_states[-2]", expected[0], actual.get(0));
      Parity.check(name + ", last_hidden_state", expected[1], actual.get(1));
      if (settings.hasProjection()) {
        Parity.check(name + ", text_embeds", expected[2], actual.get(2));
      }
    }
  }

  private static List<float[]> product(ClipTextSettings settings, FilledWeights weights, int[] ids)
      throws IOException {
    List<float[]> outputs = new ArrayList<>();
    try (Backend backend = new CpuBackend(); Parameters parameters = new Parameters();
        MemoryScope scope = backend.scope()) {
      ClipTextModel text = new ClipTextModel(parameters.root(),
          ClipTextConfig.from(Parity.config("CLIP text", settings.config())), settings.hasProjection());
      Parity.load(parameters, weights, backend);
      outputs.add(text.hiddenState(backend, ids, 1, 1).toArray());
      var hidden = text.forward(backend, ids, 1, Tape.NONE);
      outputs.add(hidden.toArray());
      if (settings.hasProjection()) {
        outputs.add(text.project(hidden, ids, Tape.NONE).toArray());
      }
    }
    return outputs;
  }
}
