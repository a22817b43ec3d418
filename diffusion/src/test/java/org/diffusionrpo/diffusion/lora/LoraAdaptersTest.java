package org.diffusionrpo.diffusion.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.train.Denoising;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.Tolerances;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Tape;
import org.diffusionrpo.tensor.optim.AdamW;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters in a whole tiny UNet. */
class LoraAdaptersTest {
  /** Adapters on every layer leave less than 0.1 of the loss of one batch; without a gradient all of it stays. */
  private static final double LEARNT = 0.3;

  @Test
  void targetsAreChosenAsByPeft() {
    try (UNet2DConditionModel unet = TinyModels.sd15Unet()) {
      assertEquals(1 * 8 + 2 * 8 + 8, count(unet, "attn"), "four layers of two attentions in four transformers");
      assertEquals(count(unet, "attn") + 4 * 2, count(unet, "attn-mlp"));
      assertEquals(unet.parameters().slots().size(), count(unet, "all"));
      assertEquals(4 + 4, count(unet, "attn1.to_q, attn2.to_k"));
      assertEquals(1, count(unet, "conv_in"));
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> count(unet, "to_q,to_kk"));
      assertEquals("no layer of the UNet is called 'to_kk'; did you mean 'to_k'?", e.getMessage());
      assertEquals(1, count(unet, "conv_out"), "the refused ones left no adapter behind");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void switchedOffTheUNetIsTheBaseToTheBit(boolean checkpointing) {
    try (Backend backend = new CpuBackend(); UNet2DConditionModel unet = unet(backend, checkpointing)) {
      Denoising batch = batch(backend);
      float[] base = prediction(unet, batch);
      try (LoraAdapters adapters = attach(backend, unet)) {
        assertArrayEquals(base, prediction(unet, batch), "B = 0");
        TestTensors.randomize(adapters.parameters(), backend, 5);
        assertFalse(Arrays.equals(base, prediction(unet, batch)));
        adapters.setEnabled(false);
        assertArrayEquals(base, prediction(unet, batch));
        adapters.setEnabled(true);
        assertFalse(Arrays.equals(base, prediction(unet, batch)));
      }
      assertArrayEquals(base, prediction(unet, batch), "closed");
    }
  }

  @Test
  void mergedWeightsPredictTheSame() {
    try (Backend backend = new CpuBackend(); UNet2DConditionModel unet = unet(backend, false)) {
      Denoising batch = batch(backend);
      Map<Parameter, float[]> merged = new HashMap<>();
      double[] adapted;
      try (LoraAdapters adapters = attach(backend, unet)) {
        TestTensors.randomize(adapters.parameters(), backend, 5);
        for (Parameter parameter : adapters.parameters().all()) {
          float[] values = parameter.value().toArray();
          IntStream.range(0, values.length).forEach(i -> values[i] *= 0.3f); // as large as the weights, not larger
          parameter.set(backend, values, Storage.F32);
        }
        adapted = Tolerances.widen(prediction(unet, batch));
        unet.parameters().all().forEach(parameter -> merged.put(parameter, adapters.merged(parameter)));
      }
      merged.forEach((parameter, values) -> parameter.set(backend, values, Storage.F32));
      // The same products in another order through some thirty layers: 1e-6 of the values, so 1e-12 of their squares.
      assertTrue(Tolerances.nmse(Tolerances.widen(prediction(unet, batch)), adapted) < Tolerances.NMSE);
    }
  }

  @Test
  void trainingLowersTheLossAndTouchesTheAdaptersAlone() {
    try (Backend backend = new CpuBackend(); UNet2DConditionModel unet = unet(backend, false)) {
      Denoising batch = batch(backend);
      List<float[]> before = values(unet);
      try (LoraAdapters adapters = attach(backend, unet)) {
        adapters.parameters().unfreeze();
        double first = Double.NaN;
        double last = Double.NaN;
        try (AdamW optimizer = new AdamW(adapters.parameters().all(), new AdamW.Options(0.9, 0.99, 1e-8, 0))) {
          for (int k = 0; k < 100; k++) {
            adapters.parameters().zeroGrad();
            last = Arrays.stream(batch.accumulate(unet, errors -> new float[] {0.5f, 0.5f})).average().orElseThrow();
            first = k == 0 ? last : first;
            optimizer.step(5e-3);
          }
        }
        double left = last / first;
        assertTrue(left < LEARNT, () -> "left of the loss: " + left);
        unet.parameters().all().forEach(parameter -> assertNull(parameter.grad(), parameter.name()));
      }
      List<float[]> after = values(unet);
      IntStream.range(0, before.size()).forEach(i -> assertArrayEquals(before.get(i), after.get(i)));
    }
  }

  @Test
  void checkpointingGivesTheSameGradients() {
    try (Backend backend = new CpuBackend()) {
      assertArrayEquals(gradients(backend, false), gradients(backend, true));
    }
  }

  private static float[][] gradients(Backend backend, boolean checkpointing) {
    try (UNet2DConditionModel unet = unet(backend, checkpointing); LoraAdapters adapters = attach(backend, unet)) {
      TestTensors.randomize(adapters.parameters(), backend, 5);
      batch(backend).accumulate(unet, errors -> new float[] {0.5f, 0.5f});
      return adapters.parameters().all().stream().map(p -> p.grad().toArray()).toArray(float[][]::new);
    }
  }

  private static int count(UNet2DConditionModel unet, String targets) {
    try (LoraAdapters adapters = LoraAdapters.attach(unet, LoraConfig.of(2, 2, targets))) {
      return adapters.parameters().all().size() / 2;
    }
  }

  private static LoraAdapters attach(Backend backend, UNet2DConditionModel unet) {
    LoraAdapters adapters = LoraAdapters.attach(unet, LoraConfig.of(4, 8, "all"));
    adapters.initialize(backend, 3);
    return adapters;
  }

  private static UNet2DConditionModel unet(Backend backend, boolean checkpointing) {
    UNet2DConditionModel unet = TinyModels.sd15Unet();
    UNet2DConditionModel made = new UNet2DConditionModel(unet.config(), checkpointing);
    made.parameters().initialize(backend, 11);
    return made;
  }

  private static List<float[]> values(UNet2DConditionModel unet) {
    return unet.parameters().all().stream().map(parameter -> parameter.value().toArray()).toList();
  }

  private static float[] prediction(UNet2DConditionModel unet, Denoising batch) {
    try (Tensor y = unet.forward(batch.noisy(), batch.timesteps(), batch.conditions().context(), null, Tape.NONE)) {
      return y.toArray();
    }
  }

  private static Denoising batch(Backend backend) {
    return new Denoising(TestTensors.gaussian(backend, 1, 2, 4, 4, 4), new float[] {20, 900},
        TestTensors.gaussian(backend, 2, 2, 4, 4, 4),
        new Conditions(TestTensors.gaussian(backend, 3, 2, 3, TinyModels.CONTEXT), null));
  }
}
