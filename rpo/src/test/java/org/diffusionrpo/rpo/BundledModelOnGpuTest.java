package org.diffusionrpo.rpo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.rpo.eval.Drawing;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.Tolerances;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

/** The model in the repository, at its real size, answers and draws on the GPU as on the CPU. Tests run in the module's folder. */
@NeedsGpu
class BundledModelOnGpuTest {
  private static final Path MODEL = Path.of("model");
  private static final String PROMPT = "red apple";

  /** ||gpu - cpu|| / ||cpu||: the same fp32 products summed in another order. */
  private static final double TOLERANCE = 1e-4;

  /** Of 255: a value that lies between two of them may be rounded to either. */
  private static final int COLOUR_TOLERANCE = 1;

  @Test
  void everyNetworkAnswersAsOnTheCpu() throws IOException {
    Map<String, double[]> expected;
    try (Backend cpu = new CpuBackend()) {
      expected = answers(cpu);
    }
    try (Backend gpu = TestDevice.GPU.open()) {
      Map<String, double[]> actual = answers(gpu);
      expected.forEach((name, values) -> {
        double error = Tolerances.goldenError(actual.get(name), values);
        assertTrue(error < TOLERANCE, name + " differs by " + error);
      });
      assertEquals(0, gpu.memory().liveBytes());
    }
  }

  private static Map<String, double[]> answers(Backend backend) throws IOException {
    Map<String, double[]> answers = new LinkedHashMap<>();
    try (StableDiffusion model = StableDiffusion.load(MODEL, backend, LoadOptions.F32);
        Clip clip = Clip.load(model.clip(), backend, Storage.F32); MemoryScope scope = backend.scope()) {
      TextEmbedding text = model.promptEncoder(backend).encode(PROMPT);
      answers.put("context", Tolerances.widen(text.context()));
      Conditions conditions = Conditions.of(backend, model.promptEncoder(backend).contextShape(), List.of(text),
          List.of(TimeIds.of(64, 64)));
      Tensor latents = TestTensors.gaussian(backend, 1, 1, 16, 16, 4);
      Tensor noise = model.unet().value().forward(latents, new float[] {500}, conditions.context(), conditions.added(),
          Tape.NONE);
      answers.put("noise", TestTensors.doubles(noise));
      Tensor picture = model.vae().value().decode(latents, Tape.NONE);
      answers.put("picture", TestTensors.doubles(picture));
      answers.put("moments", TestTensors.doubles(model.vae().value().encode(picture, Tape.NONE)));
      ClipEmbedder embedder = new ClipEmbedder(backend, clip.model().value(), clip.tokenizer());
      answers.put("text embedding", embedder.texts(List.of(PROMPT)).get(0));
      RgbImage grey = new RgbImage(64, 64, new byte[3 * 64 * 64]);
      answers.put("image embedding", embedder.images(List.of(grey)).get(0));
      assertEquals(Shape.of(1, 64, 64, 3), picture.shape());
    }
    return answers;
  }

  @Test
  void drawsThePictureOfTheCpu() throws IOException {
    RgbImage expected;
    try (Backend cpu = new CpuBackend()) {
      expected = draw(cpu);
    }
    try (Backend gpu = TestDevice.GPU.open()) {
      RgbImage actual = draw(gpu);
      for (int i = 0; i < expected.rgb().length; i++) {
        assertEquals(expected.rgb()[i] & 0xFF, actual.rgb()[i] & 0xFF, COLOUR_TOLERANCE, "value " + i);
      }
    }
  }

  private static RgbImage draw(Backend backend) throws IOException {
    try (StableDiffusion model = StableDiffusion.load(MODEL, backend, LoadOptions.F32)) {
      return Drawing.draw(backend, model, List.of(PROMPT), 1, Drawing.sampling(2, 3), ProgressListener.SILENT).get(0);
    }
  }
}
