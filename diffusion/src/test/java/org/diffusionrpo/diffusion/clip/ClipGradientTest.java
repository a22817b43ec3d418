package org.diffusionrpo.diffusion.clip;

import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;
import org.diffusionrpo.diffusion.DirectionalDerivatives;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClipGradientTest {
  private static final int[] IDS = {38, 5, 17, 39, 39, 39, 38, 22, 5, 1, 11, 39};

  @ParameterizedTest
  @EnumSource(value = Activation.class, names = {"QUICK_GELU", "GELU"})
  void gradientsOfTheTextTowerMatchFiniteDifferences(Activation activation) throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope(); Tape tape = new Tape();
        ClipModel clip = loaded(backend, activation)) {
      ClipTextModel text = clip.text();
      var check = new DirectionalDerivatives(() -> embeds(text, backend, Tape.NONE));
      Tensor dEmbeds = check.outputGradient(embeds(text, backend, tape));
      text.backward(text.projectBackward(dEmbeds, IDS, tape), IDS, tape);
      parameters(clip, name -> name.startsWith("text")).forEach(p -> check.add(p.name(), p.value(), p.grad()));
      check.check();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Activation.class, names = {"QUICK_GELU", "GELU"})
  void gradientsOfTheVisionTowerMatchFiniteDifferences(Activation activation) throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope(); Tape tape = new Tape();
        ClipModel clip = loaded(backend, activation)) {
      Tensor pixels = backend.of(Shape.of(2, 12, 12, 3), GoldenFill.sequence(10_000_000, 2 * 12 * 12 * 3));
      var check = new DirectionalDerivatives(() -> clip.vision().forward(pixels, Tape.NONE));
      Tensor dEmbeds = check.outputGradient(clip.vision().forward(pixels, tape));
      check.add("pixels", pixels, clip.vision().backward(dEmbeds, tape));
      parameters(clip, name -> name.startsWith("vis")).forEach(p -> check.add(p.name(), p.value(), p.grad()));
      check.check();
    }
  }

  private static ClipModel loaded(Backend backend, Activation activation) throws IOException {
    ClipModel clip = TinyModels.clip(activation);
    GoldenWeights.load(clip.parameters(), backend);
    clip.parameters().unfreeze();
    return clip;
  }

  private static List<Parameter> parameters(ClipModel clip, Predicate<String> tower) {
    return clip.parameters().all().stream().filter(p -> tower.test(p.name())).toList();
  }

  private static Tensor embeds(ClipTextModel text, Backend backend, Tape tape) {
    try (MemoryScope scope = backend.scope()) {
      return scope.keep(text.project(text.forward(backend, IDS, 2, tape), IDS, tape));
    }
  }
}
