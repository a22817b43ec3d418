package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.DoubleSupplier;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.diffusionrpo.tensor.optim.AdamW;
import org.junit.jupiter.api.Test;

/** A network with a right gradient can learn one batch by heart. */
class OverfitTest {
  /** A network that learnt nothing stays near 1; right gradients leave 8e-3 (CLIP) or far less. */
  private static final double SMALL_FRACTION = 0.02;

  private static final AdamW.Options NO_DECAY = new AdamW.Options(0.9, 0.99, 1e-8, 0);

  @Test
  void theUnetLearnsTheNoiseOfOneBatch() {
    try (Backend backend = new CpuBackend(); MemoryScope scope = backend.scope();
        UNet2DConditionModel unet = TinyNoise.unet(backend)) {
      Shape latents = Shape.of(3, 4, 4, 4);
      Denoising batch = new Denoising(gaussian(backend, "noisy", latents), new float[] {20, 400, 900},
          gaussian(backend, "noise", latents),
          new Conditions(gaussian(backend, "context", Shape.of(3, 3, TinyModels.CONTEXT)), null));
      float[] mean = {1f / 3, 1f / 3, 1f / 3};
      double[] losses = train(unet.parameters(), 100, 5e-3,
          () -> Arrays.stream(batch.accumulate(unet, errors -> mean)).average().orElseThrow());
      assertLearnt(losses);
    }
  }

  @Test
  void theAutoencoderLearnsTheImagesOfOneBatch() {
    try (Backend backend = new CpuBackend(); MemoryScope scope = backend.scope();
        AutoencoderKL vae = TinyModels.vae()) {
      vae.parameters().initialize(backend, 5);
      vae.parameters().unfreeze();
      Tensor images = gaussian(backend, "images", Shape.of(2, 6, 6, 3));
      double[] losses = train(vae.parameters(), 100, 5e-3, () -> reconstruct(vae, images));
      assertLearnt(losses);
    }
  }

  @Test
  void clipTellsTheEightPairsOfOneBatchApart() {
    int pairs = 8;
    try (Backend backend = new CpuBackend(); MemoryScope scope = backend.scope();
        ClipModel clip = TinyModels.clip(Activation.QUICK_GELU)) {
      clip.parameters().initialize(backend, 5);
      clip.parameters().unfreeze();
      Tensor pixels = gaussian(backend, "pixels", Shape.of(pairs, 12, 12, 3));
      int[] ids = new int[pairs * 3];
      for (int n = 0; n < pairs; n++) {
        ids[3 * n] = 38;
        ids[3 * n + 1] = n;
        ids[3 * n + 2] = 39;
      }
      double[] accuracy = new double[1];
      double[] losses = train(clip.parameters(), 60, 5e-3, () -> {
        ContrastiveLoss loss = contrast(clip, backend, pixels, ids, pairs);
        accuracy[0] = loss.accuracy();
        return loss.loss();
      });
      assertEquals(1, accuracy[0]);
      assertLearnt(losses);
    }
  }

  private static double reconstruct(AutoencoderKL vae, Tensor images) {
    Backend backend = images.backend();
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      Tensor moments = vae.encode(images, tape);
      Tensor decoded = vae.decode(vae.mode(moments), tape);
      double[] errors = new double[images.dim(0)];
      backend.squaredErrorPerSample(errors, decoded, images);
      float[] mean = new float[errors.length];
      Arrays.fill(mean, 1f / errors.length);
      Tensor dDecoded = backend.empty(decoded.shape());
      backend.squaredErrorBackward(dDecoded, decoded, images, mean);
      Tensor dMean = vae.decodeBackward(dDecoded, tape);
      Tensor dMoments = backend.empty(moments.shape());
      backend.concat(dMoments, dMean, backend.zeros(dMean.shape()), 3);
      vae.encodeBackward(dMoments, tape);
      return Arrays.stream(errors).average().orElseThrow();
    }
  }

  private static ContrastiveLoss contrast(ClipModel clip, Backend backend, Tensor pixels, int[] ids, int pairs) {
    try (MemoryScope scope = backend.scope(); Tape textTape = new Tape(); Tape imageTape = new Tape()) {
      Tensor texts = clip.text().project(clip.text().forward(backend, ids, pairs, textTape), ids, textTape);
      Tensor images = clip.vision().forward(pixels, imageTape);
      double scale = clip.logitScale().value().toArray()[0];
      ContrastiveLoss loss = new ContrastiveLoss(images.toArray(), texts.toArray(), pairs, scale);
      clip.vision().backward(backend.of(images.shape(), loss.dImages()), imageTape);
      clip.text().backward(
          clip.text().projectBackward(backend.of(texts.shape(), loss.dTexts()), ids, textTape), ids, textTape);
      return loss;
    }
  }

  /** The loss before each update. */
  private static double[] train(Parameters parameters, int updates, double rate, DoubleSupplier accumulate) {
    double[] losses = new double[updates];
    try (AdamW optimizer = new AdamW(parameters.all(), NO_DECAY)) {
      for (int k = 0; k < updates; k++) {
        parameters.zeroGrad();
        losses[k] = accumulate.getAsDouble();
        optimizer.step(rate * (1 - (double) k / updates));
      }
    }
    return losses;
  }

  private static void assertLearnt(double[] losses) {
    double fraction = losses[losses.length - 1] / losses[0];
    assertTrue(fraction < SMALL_FRACTION, () -> "left of the loss " + losses[0] + ": " + fraction);
  }

  private static Tensor gaussian(Backend backend, String purpose, Shape shape) {
    float[] values = new float[shape.size()];
    Philox.stream(6, purpose, 0).fillGaussian(values);
    return backend.of(shape, values);
  }
}
