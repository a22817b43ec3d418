package org.diffusionrpo.bench.oracle;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.bench.oracle.TorchUnet.Inputs;
import org.diffusionrpo.diffusion.unet.AddedConditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

/** One prediction of the published UNets. */
class UNetParityTest {
  private static final int TOKENS = 77;
  private static final int TIMESTEP = 981;
  private static final float[] TIME_IDS = {1024, 768, 32, 0, 1024, 1024};
  private static final int TEXT_WIDTH = 1280;
  private static final long GIB = 1L << 30;

  @Test
  void stableDiffusion15() throws IOException {
    compare("SD 1.5 UNet", "unet-sd15", UnetSettings.SD15, 32);
  }

  @Test
  void sdxl() throws IOException {
    long memory = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    assumeTrue(memory > 16 * GIB, "the 10.3 GB of SDXL's UNet want a machine of more than 16 GiB");
    compare("SDXL UNet", "unet-sdxl", UnetSettings.SDXL, 16);
  }

  private static void compare(String name, String manifest, UnetSettings settings, int side) throws IOException {
    float[] sample = GoldenFill.sequence(UnetGoldens.SAMPLE_START, TorchUnet.LATENT_CHANNELS * side * side);
    float[] context = GoldenFill.sequence(UnetGoldens.CONTEXT_START, TOKENS * settings.contextWidth());
    float[] text = GoldenFill.sequence(UnetGoldens.TEXT_START, TEXT_WIDTH);
    try (FilledWeights weights = new FilledWeights(manifest)) {
      float[] actual = product(settings, weights, side, sample, context, text);
      double[][] expected = Parity.oracle(weights, source -> {
        boolean added = settings.hasAddedEmbedding();
        Inputs in = new Inputs(Tensors.single(sample, 1, TorchUnet.LATENT_CHANNELS, side, side),
            new long[] {TIMESTEP}, Tensors.single(context, 1, TOKENS, settings.contextWidth()),
            added ? Tensors.single(text, 1, TEXT_WIDTH) : null, added ? timeIds() : null);
        return new Tensor[] {new TorchUnet(settings, source).forward(in)};
      });
      Parity.check(name + " at " + side + "x" + side, expected[0], actual);
    }
  }

  private static float[] product(UnetSettings settings, FilledWeights weights, int side, float[] sample,
      float[] context, float[] text) throws IOException {
    UNetConfig config = UNetConfig.from(Parity.config("UNet", settings.config()));
    int channels = TorchUnet.LATENT_CHANNELS;
    try (Backend backend = new CpuBackend(); UNet2DConditionModel unet = new UNet2DConditionModel(config);
        MemoryScope scope = backend.scope()) {
      Parity.load(unet.parameters(), weights, backend);
      AddedConditions added = !settings.hasAddedEmbedding() ? null
          : new AddedConditions(backend.of(Shape.of(1, TEXT_WIDTH), text), new float[][] {TIME_IDS});
      return Layout.toNchw(unet.forward(
          backend.of(Shape.of(1, side, side, channels), Layout.toNhwc(sample, 1, channels, side, side)),
          new float[] {TIMESTEP}, backend.of(Shape.of(1, TOKENS, settings.contextWidth()), context), added, Tape.NONE));
    }
  }

  private static long[] timeIds() {
    long[] ids = new long[TIME_IDS.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (long) TIME_IDS[i];
    }
    return ids;
  }
}
