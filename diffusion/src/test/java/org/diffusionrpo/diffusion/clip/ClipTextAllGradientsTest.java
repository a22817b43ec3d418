package org.diffusionrpo.diffusion.clip;

import java.io.IOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.io.GoldenTensors;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachDevice;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Small text towers in the style of CLIP-L and OpenCLIP bigG, with the gradient of every parameter. */
@OnEachDevice
class ClipTextAllGradientsTest {
  private static final int TEXTS = 2;

  @TempDir
  private Path folder;

  private final TestDevice device;

  ClipTextAllGradientsTest(TestDevice device) {
    this.device = device;
  }

  @ParameterizedTest
  @CsvSource({"clip-text-small,false", "clip-text-small-projection,true"})
  void hiddenStatesAndAllGradientsEqualLibtorch(String model, boolean projection) throws IOException {
    try (Backend backend = device.open(); Parameters parameters = new Parameters();
        GoldenTensors golden = GoldenTensors.open(model, "golden", folder);
        MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      ClipTextConfig config = ClipTextConfig.from(GoldenTensors.config(model));
      ClipTextModel text = new ClipTextModel(parameters.root(), config, projection);
      GoldenWeights.load(parameters, backend);
      parameters.unfreeze();
      int[] ids = golden.ints("input_ids");
      golden.checkOutput("penultimate_hidden_state", text.hiddenState(backend, ids, TEXTS, 1).toArray());
      Tensor hidden = text.forward(backend, ids, TEXTS, tape);
      golden.checkOutput("last_hidden_state", hidden.toArray());
      Tensor dHidden = golden.tensor(backend, "grad_last_hidden_state");
      if (projection) {
        golden.checkOutput("text_embeds", text.project(hidden, ids, tape).toArray());
        Tensor dEmbeds = golden.tensor(backend, "grad_text_embeds");
        backend.addTo(dHidden, text.projectBackward(dEmbeds, ids, tape));
      }
      text.backward(dHidden, ids, tape);
      golden.checkGradients(parameters, 0);
    }
  }
}
