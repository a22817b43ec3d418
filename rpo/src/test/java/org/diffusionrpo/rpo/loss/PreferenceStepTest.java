package org.diffusionrpo.rpo.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.train.Denoising;
import org.diffusionrpo.diffusion.unet.GoldenUnets;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.optim.Gradients;
import org.junit.jupiter.api.Test;

/**
 * One whole preference step, from latents to the gradient of the network, against numbers of the reference UNet in
 * float64: three pairs, the reference network is the policy with conv_out.weight times 0.9.
 */
class PreferenceStepTest {
  private static final int PAIRS = 3;
  private static final int[] TIMESTEPS = {10, 500, 900};
  private static final Shape LATENTS = Shape.of(PAIRS, 8, 8, 4);
  private static final double BETA = 200;

  private static final double[] POLICY_WINNER = {0.813571771, 0.582774584, 0.542432};
  private static final double[] POLICY_LOSER = {0.715680173, 0.618202233, 0.564839957};
  private static final double[] REFERENCE_WINNER = {0.732142132, 0.530177636, 0.496213825};
  private static final double[] REFERENCE_LOSER = {0.651688757, 0.560524876, 0.515123094};

  /** float32 against float64. */
  private static final double ERROR_TOLERANCE = 1e-6;

  /** The logits are differences of errors times beta / 2 = 100; so is their rounding. */
  private static final double LOSS_TOLERANCE = 1e-4;

  /** Relative; the sigmoid's argument carries the rounding of the loss. Measured 4e-6. */
  private static final double GRADIENT_TOLERANCE = 1e-4;

  @Test
  void diffusionDpoEqualsTheReference() throws IOException {
    check(new DiffusionDpo(BETA), PairFeatures.NONE, 0.9698162099, 169.086676,
        1.35124058, 0.311411286, -0.695143561, -1.64615942);
  }

  @Test
  void diffusionRpoEqualsTheReference() throws IOException {
    double[][] prompts = ContrastWeightsTest.goldenPrompts();
    check(new DiffusionRpo(BETA, DiffusionRpo.Weighting.INSIDE, new ContrastWeights.Distance(Similarity.TEXT, 0.5)),
        PairFeatures.ofPairs(prompts, prompts, prompts), 0.7735219499, 51.7643757,
        0.430289449, 0.113734872, -0.222109525, -0.521400394);
  }

  private static void check(PreferenceLoss loss, PairFeatures features, double value, double norm, double... dInBias)
      throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope();
        UNet2DConditionModel policy = unet(backend, 1f); UNet2DConditionModel reference = unet(backend, 0.9f)) {
      Denoising winners = noised(backend, 50_000_000);
      Denoising losers = noised(backend, 51_000_000);
      PairErrors errors = new PairErrors(winners.errors(policy), losers.errors(policy), winners.errors(reference),
          losers.errors(reference));
      assertArrayEquals(POLICY_WINNER, errors.policyWinner(), ERROR_TOLERANCE, "policy, winners");
      assertArrayEquals(POLICY_LOSER, errors.policyLoser(), ERROR_TOLERANCE, "policy, losers");
      assertArrayEquals(REFERENCE_WINNER, errors.referenceWinner(), ERROR_TOLERANCE, "reference, winners");
      assertArrayEquals(REFERENCE_LOSER, errors.referenceLoser(), ERROR_TOLERANCE, "reference, losers");

      PreferenceLoss.Result result = loss.evaluate(errors, features);
      assertEquals(value, result.loss(), LOSS_TOLERANCE);

      policy.parameters().unfreeze();
      winners.accumulate(policy, same -> floats(result.dWinner()));
      losers.accumulate(policy, same -> floats(result.dLoser()));
      assertEquals(norm, Gradients.norm(policy.parameters().all()), norm * GRADIENT_TOLERANCE, "gradient norm");
      float[] bias = policy.parameters().get("conv_in.bias").grad().toArray();
      for (int i = 0; i < dInBias.length; i++) {
        assertEquals(dInBias[i], bias[i], value * GRADIENT_TOLERANCE, "gradient of conv_in.bias " + i);
      }
    }
  }

  private static Denoising noised(Backend backend, int start) throws IOException {
    float[] x0 = latents(start);
    float[] noise = latents(52_000_000);
    float[] noisy = new float[x0.length];
    NoiseSchedule.of(SchedulerConfig.stableDiffusion()).addNoise(noisy, x0, noise, TIMESTEPS);
    float[] times = new float[PAIRS];
    IntStream.range(0, PAIRS).forEach(n -> times[n] = TIMESTEPS[n]);
    return new Denoising(backend.of(LATENTS, noisy), times, backend.of(LATENTS, noise),
        new Conditions(backend.of(Shape.of(PAIRS, 5, 24), GoldenFill.sequence(53_000_000, PAIRS * 5 * 24)), null));
  }

  private static float[] latents(int start) {
    return Layout.toNhwc(GoldenFill.sequence(start, LATENTS.size()), PAIRS, 4, 8, 8);
  }

  private static UNet2DConditionModel unet(Backend backend, float outScale) throws IOException {
    UNet2DConditionModel unet = new UNet2DConditionModel(GoldenUnets.sd15Style());
    GoldenWeights.load(unet.parameters(), backend);
    Tensor out = unet.parameters().get("conv_out.weight").value();
    backend.scale(out, out, outScale);
    return unet;
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    IntStream.range(0, values.length).forEach(i -> floats[i] = (float) values[i]);
    return floats;
  }
}
