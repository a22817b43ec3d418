package org.diffusionrpo.diffusion.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.io.CheckpointMapping;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.Test;

class LoraMergeTest {
  /** Weights and changes are of size 1; a float sum of 3 products and a weight is off by a few parts in 1e7. */
  private static final float ROUNDING = 2e-6f;

  @Test
  void eachWeightGetsTheFormulaInTheLayoutOfFiles() throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      LoraModules modules = LoraModules.of(model);
      List<LoraLayer> layers = TinyLora.layers(modules, TinyLora.MODULES, DType.F32, 3);
      List<float[]> before = layers.stream().map(layer -> inFile(weight(modules, layer))).toList();
      LoraMerge.add(modules, layers, 0.5);
      for (int n = 0; n < layers.size(); n++) {
        assertArrayEquals(expected(before.get(n), layers.get(n), 0.5), inFile(weight(modules, layers.get(n))), ROUNDING,
            layers.get(n).module());
      }
    }
  }

  @Test
  void severalAddUpWithTheirStrengths() throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      LoraModules modules = LoraModules.of(model);
      List<LoraLayer> first = TinyLora.layers(modules, TinyLora.MODULES, DType.F32, 3);
      List<LoraLayer> second = TinyLora.layers(modules, TinyLora.MODULES, DType.F32, 4);
      Parameter weight = weight(modules, first.get(3));
      float[] before = inFile(weight);
      LoraMerge.add(modules, first, 0.8);
      LoraMerge.add(modules, second, -0.3);
      assertArrayEquals(expected(expected(before, first.get(3), 0.8), second.get(3), -0.3), inFile(weight), ROUNDING);
    }
  }

  @Test
  void otherWeightsStayToTheBitAndStorageStays() throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend);
        StableDiffusion untouched = TinyModel.create(backend)) {
      LoraModules modules = LoraModules.of(model);
      List<LoraLayer> layers = TinyLora.layers(modules, TinyLora.MODULES, DType.F32, 3);
      Parameter halves = weight(modules, layers.get(0));
      halves.set(backend, halves.value().toArray(), Storage.BF16);
      LoraMerge.add(modules, layers, 1);
      assertEquals(Storage.BF16, halves.value().storage());
      List<String> changed = layers.stream().map(layer -> weight(modules, layer).name()).toList();
      for (int n = 0; n < TinyModel.networks(model).size(); n++) {
        for (Parameter parameter : TinyModel.networks(untouched).get(n).all()) {
          boolean same = Arrays.equals(parameter.value().toArray(),
              TinyModel.networks(model).get(n).get(parameter.name()).value().toArray());
          if (changed.contains(parameter.name())) {
            assertFalse(same, parameter.name());
          } else {
            assertEquals(true, same, parameter.name());
          }
        }
      }
    }
  }

  private static Parameter weight(LoraModules modules, LoraLayer layer) {
    return modules.find(layer.component() + "." + layer.module()).slot().weight();
  }

  private static float[] inFile(Parameter weight) {
    return CheckpointMapping.toFile(weight.shape(), weight.value().toArray());
  }

  /** {@code W[o, i, y, x] + strength (alpha / r) sum_r up[o, r] down[r, i, y, x]}, as the format is specified. */
  private static float[] expected(float[] before, LoraLayer layer, double strength) {
    int rank = layer.rank();
    int columns = layer.down().values().length / rank;
    float[] after = before.clone();
    for (int o = 0; o < layer.up().dims()[0]; o++) {
      for (int c = 0; c < columns; c++) {
        double sum = 0;
        for (int r = 0; r < rank; r++) {
          sum += (double) layer.up().values()[o * rank + r] * layer.down().values()[r * columns + c];
        }
        after[o * columns + c] = (float) (before[o * columns + c] + strength * layer.alpha() / rank * sum);
      }
    }
    return after;
  }
}
