package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraConfig;
import org.diffusionrpo.rpo.loss.DiffusionDpo;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

/** A frozen copy and the policy with its adapters off are the same reference. */
class ReferenceTest {
  @Test
  void bothKindsGiveTheSameLossAndGradientsToTheBit() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend)) {
      tiny.policy.parameters().freeze();
      try (LoraAdapters adapters = LoraAdapters.attach(tiny.policy, LoraConfig.of(2, 2, "attn"))) {
        TestTensors.randomize(adapters.parameters(), backend, 5);
        float[][] gradients = null;
        Map<String, Double> metrics = null;
        for (Reference reference : new Reference[] {
            Reference.copy(tiny.reference), Reference.adaptersOff(tiny.policy, adapters)}) {
          adapters.parameters().zeroGrad();
          Map<String, Double> found = new PreferenceObjective(backend, tiny.policy, reference, new DiffusionDpo(100),
              tiny.batches(TinyPreferences.options(4, 4)), 2).accumulate(0);
          float[][] now = adapters.parameters().all().stream().map(p -> p.grad().toArray()).toArray(float[][]::new);
          if (gradients == null) {
            gradients = now;
            metrics = found;
          }
          assertArrayEquals(gradients, now);
          assertEquals(metrics, found);
        }
        assertFalse(Arrays.stream(gradients).allMatch(g -> Arrays.equals(g, new float[g.length])));
      }
    }
  }

  @Test
  void adaptersAreOnAgainAfterAnError() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend)) {
      tiny.policy.parameters().freeze();
      try (LoraAdapters adapters = LoraAdapters.attach(tiny.policy, LoraConfig.of(2, 2, "attn"))) {
        TestTensors.randomize(adapters.parameters(), backend, 5);
        Reference reference = Reference.adaptersOff(tiny.policy, adapters);
        PairBatch batch = tiny.batches(TinyPreferences.options(4, 4)).batch(0, true);
        double[] on = batch.errors(backend, tiny.policy, 4)[0];
        assertThrows(IllegalStateException.class, () -> reference.with(network -> {
          throw new IllegalStateException("failed");
        }));
        assertArrayEquals(on, batch.errors(backend, tiny.policy, 4)[0]);
        assertFalse(Arrays.equals(on, reference.with(network -> batch.errors(backend, network, 4))[0]));
      }
    }
  }
}
