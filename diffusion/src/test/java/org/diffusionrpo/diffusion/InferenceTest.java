package org.diffusionrpo.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.unet.AddedConditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a network answers does not depend on who asks: with or without a tape, alone or in a batch. */
class InferenceTest {
  /** Relative to the largest output: a batch may be cut into other blocks of float32 sums. */
  private static final float BATCH_TOLERANCE = 1e-5f;

  private static final float[] TIMESTEPS = {3, 977};
  private static final int[] IDS = {38, 5, 17, 39, 38, 22, 39, 39};

  /** A network and how to run it on the samples from..to of two fixed ones. */
  private interface Case extends AutoCloseable {
    Parameters parameters();

    Tensor forward(Backend backend, int from, int to, Tape tape);

    @Override
    void close();
  }

  private record UnetCase(UNet2DConditionModel unet, boolean sdxl) implements Case {
    @Override
    public Parameters parameters() {
      return unet.parameters();
    }

    @Override
    public Tensor forward(Backend backend, int from, int to, Tape tape) {
      AddedConditions added = !sdxl ? null : new AddedConditions(input(backend, 30, from, to, 7),
          Arrays.copyOfRange(new float[][] {{64, 48, 3, 5, 64, 48}, {32, 32, 0, 0, 64, 64}}, from, to));
      return unet.forward(input(backend, 10, from, to, 5, 3, 4), Arrays.copyOfRange(TIMESTEPS, from, to),
          input(backend, 20, from, to, 3, TinyModels.CONTEXT), added, tape);
    }

    @Override
    public void close() {
      unet.close();
    }
  }

  private record VaeCase(AutoencoderKL vae) implements Case {
    @Override
    public Parameters parameters() {
      return vae.parameters();
    }

    @Override
    public Tensor forward(Backend backend, int from, int to, Tape tape) {
      return vae.decode(vae.mode(vae.encode(input(backend, 10, from, to, 7, 6, 3), tape)), tape);
    }

    @Override
    public void close() {
      vae.close();
    }
  }

  private record ClipCase(ClipModel clip, boolean text) implements Case {
    @Override
    public Parameters parameters() {
      return clip.parameters();
    }

    @Override
    public Tensor forward(Backend backend, int from, int to, Tape tape) {
      if (!text) {
        return clip.vision().forward(input(backend, 10, from, to, 12, 12, 3), tape);
      }
      int[] ids = Arrays.copyOfRange(IDS, from * 4, to * 4);
      return clip.text().project(clip.text().forward(backend, ids, to - from, tape), ids, tape);
    }

    @Override
    public void close() {
      clip.close();
    }
  }

  static Stream<Named<Case>> networks() {
    return Stream.of(
        Named.of("UNet of SD 1.5", new UnetCase(TinyModels.sd15Unet(), false)),
        Named.of("UNet of SDXL", new UnetCase(TinyModels.sdxlUnet(), true)),
        Named.of("autoencoder", new VaeCase(TinyModels.vae())),
        Named.of("CLIP text", new ClipCase(TinyModels.clip(Activation.GELU), true)),
        Named.of("CLIP vision", new ClipCase(TinyModels.clip(Activation.QUICK_GELU), false)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aTapeDoesNotChangeABit(Case network) {
    try (Backend backend = CpuBackend.poisoned(); network; MemoryScope scope = backend.scope();
        Tape tape = new Tape()) {
      network.parameters().initialize(backend, 2);
      float[] recorded = network.forward(backend, 0, 2, tape).toArray();
      assertArrayEquals(recorded, network.forward(backend, 0, 2, Tape.NONE).toArray());
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void inferenceLeavesOnlyItsResultInMemory(Case network) {
    try (Backend backend = CpuBackend.poisoned(); network) {
      network.parameters().initialize(backend, 2);
      long before = backend.memory().liveBytes();
      try (MemoryScope scope = backend.scope()) {
        network.forward(backend, 0, 2, Tape.NONE);
      }
      assertEquals(before, backend.memory().liveBytes());
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aBatchOfTwoEqualsTwoBatchesOfOne(Case network) {
    try (Backend backend = CpuBackend.poisoned(); network; MemoryScope scope = backend.scope()) {
      network.parameters().initialize(backend, 2);
      float[] both = network.forward(backend, 0, 2, Tape.NONE).toArray();
      float largest = (float) IntStream.range(0, both.length).mapToDouble(i -> Math.abs(both[i])).max().orElseThrow();
      for (int n = 0; n < 2; n++) {
        float[] one = network.forward(backend, n, n + 1, Tape.NONE).toArray();
        assertArrayEquals(one, Arrays.copyOfRange(both, n * one.length, (n + 1) * one.length),
            BATCH_TOLERANCE * largest, "sample " + n);
      }
    }
  }

  /** Samples from..to of a fixed input of that shape. */
  private static Tensor input(Backend backend, int millions, int from, int to, int... sample) {
    int size = Arrays.stream(sample).reduce(1, (a, b) -> a * b);
    int[] shape = IntStream.concat(IntStream.of(to - from), Arrays.stream(sample)).toArray();
    return backend.of(Shape.of(shape), GoldenFill.sequence(millions * 1_000_000 + from * size, (to - from) * size));
  }
}
