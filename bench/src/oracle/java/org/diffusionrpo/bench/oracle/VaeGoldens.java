package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * A small autoencoder with the gradients of all its parameters. The folder holds config.json as of diffusers and
 * golden.safetensors; the weights follow the {@link FillRule}. The golden file holds two passes, one for each half:
 * <pre>
 *   sample [2, 3, 13, 10]   moments, grad_moments [2, 8, 3, 2]   grad.sample    of sum(moments * grad_moments)
 *   latents [2, 4, 3, 2]    picture, grad_picture [2, 3, 12, 8]  grad.latents   of sum(picture * grad_picture)
 *   grad.NAME for each parameter, of the pass that uses it
 * </pre>
 * in the layouts of PyTorch. The sizes of the sample are odd on the way, so that the padding before each downsampling
 * shows.
 */
final class VaeGoldens {
  static final VaeSettings SMALL = new VaeSettings(List.of(8, 12, 16), 1, 4);

  static final int SAMPLE_START = 10_000_000;
  private static final int LATENTS_START = 20_000_000;
  private static final int MOMENTS_GRADIENT_START = 30_000_000;
  private static final int PICTURE_GRADIENT_START = 40_000_000;
  private static final int SAMPLES = 2;

  private VaeGoldens() {}

  static void write(Path folder, VaeSettings settings) throws IOException {
    GoldenFile file = new GoldenFile();
    Tensors.scoped(() -> {
      Tensor sample = input(SAMPLE_START, SAMPLES, TorchVae.PICTURE_CHANNELS, 13, 10);
      Tensor latents = input(LATENTS_START, SAMPLES, TorchVae.LATENT_CHANNELS, 3, 2);
      LeafWeights weights = weights(settings, sample, latents);
      TorchVae vae = new TorchVae(settings, weights);
      Tensor moments = vae.encode(sample);
      Tensor picture = vae.decode(latents);
      file.put("sample", sample);
      file.put("latents", latents);
      backward(file, "moments", moments, MOMENTS_GRADIENT_START);
      backward(file, "picture", picture, PICTURE_GRADIENT_START);
      file.put("grad.sample", sample.grad());
      file.put("grad.latents", latents.grad());
      file.putGradients(weights);
    });
    GoldenFile.writeConfig(folder, settings.config());
    file.write(folder.resolve("golden.safetensors"));
  }

  static Tensor input(int start, long... shape) {
    return Tensors.leaf(FillRule.input(start, Tensors.elements(shape)), shape);
  }

  static LeafWeights weights(VaeSettings settings, Tensor sample, Tensor latents) {
    return new LeafWeights(any -> {
      TorchVae vae = new TorchVae(settings, any);
      vae.encode(sample);
      vae.decode(latents);
    });
  }

  private static void backward(GoldenFile file, String name, Tensor output, int gradientStart) {
    long[] shape = Tensors.shape(output);
    Tensor gradient = Tensors.constant(FillRule.input(gradientStart, Tensors.elements(shape)), shape);
    output.mul(gradient).sum().backward();
    file.put(name, output);
    file.put("grad_" + name, gradient);
  }
}
