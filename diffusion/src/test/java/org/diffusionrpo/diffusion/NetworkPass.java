package org.diffusionrpo.diffusion;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraConfig;
import org.diffusionrpo.diffusion.unet.AddedConditions;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/** Forward and backward through a small network with fixed weights, inputs and gradients of the output. */
@FunctionalInterface
interface NetworkPass {
  /** All outputs and all gradients by name; every pass of a network gives the same names. */
  Map<String, float[]> run(Backend backend) throws IOException;

  /** What is special about a UNet, and which of its gradients there are. */
  enum Variant {
    /** All weights are trained. */
    PLAIN(false, false, Storage.F32),
    CHECKPOINTED(true, false, Storage.F32),
    /** Only adapters, on every layer that can have one, are trained; the rest is frozen. */
    ADAPTED(false, true, Storage.F32),
    ADAPTED_BF16(false, true, Storage.BF16),
    ADAPTED_F16_CHECKPOINTED(true, true, Storage.F16);

    private final boolean checkpointing;
    private final boolean adapters;
    private final Storage storage;

    Variant(boolean checkpointing, boolean adapters, Storage storage) {
      this.checkpointing = checkpointing;
      this.adapters = adapters;
      this.storage = storage;
    }
  }

  /** Two samples of 8 x 8 latents through the network in the style of SD 1.5 or SDXL. */
  static NetworkPass unet(boolean sdxl, Variant variant) {
    return backend -> {
      UNetConfig config = sdxl ? TinyModels.sdxlConfig() : TinyModels.sd15Config();
      try (UNet2DConditionModel unet = new UNet2DConditionModel(config, variant.checkpointing)) {
        GoldenWeights.load(unet.parameters(), backend, variant.storage);
        if (!variant.adapters) {
          unet.parameters().unfreeze();
          return unet(backend, unet, unet.parameters(), sdxl);
        }
        try (LoraAdapters adapters = LoraAdapters.attach(unet, LoraConfig.of(2, 1, "all"))) {
          load(adapters.parameters(), backend);
          return unet(backend, unet, adapters.parameters(), sdxl);
        }
      }
    };
  }

  private static Map<String, float[]> unet(Backend backend, UNet2DConditionModel unet, Parameters trained,
      boolean sdxl) {
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      Map<String, float[]> results = new LinkedHashMap<>();
      Tensor context = filled(backend, 20_000_000, 2, 5, TinyModels.CONTEXT);
      AddedConditions added = !sdxl ? null : new AddedConditions(filled(backend, 30_000_000, 2, 7),
          new float[][] {{64, 48, 3, 5, 64, 48}, {32, 32, 0, 0, 64, 64}});
      Tensor y = unet.forward(filled(backend, 10_000_000, 2, 8, 8, 4), new float[] {981, 7}, context, added, tape);
      results.put("y", y.toArray());
      Tensor dContext = backend.zeros(context.shape());
      results.put("dx", unet.backward(filled(backend, 40_000_000, y.shape()), dContext, tape).toArray());
      results.put("dContext", dContext.toArray());
      return withGradients(results, trained);
    }
  }

  /** Two pictures to moments, and two latents to pictures. */
  static NetworkPass vae() {
    return backend -> {
      try (AutoencoderKL vae = TinyModels.vae(); MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        load(vae.parameters(), backend);
        Map<String, float[]> results = new LinkedHashMap<>();
        Tensor moments = vae.encode(filled(backend, 10_000_000, 2, 12, 10, 3), tape);
        results.put("moments", moments.toArray());
        results.put("dPicture", vae.encodeBackward(filled(backend, 11_000_000, moments.shape()), tape).toArray());
        Tensor picture = vae.decode(filled(backend, 20_000_000, 2, 6, 5, 4), tape);
        results.put("picture", picture.toArray());
        results.put("dLatents", vae.decodeBackward(filled(backend, 21_000_000, picture.shape()), tape).toArray());
        return withGradients(results, vae.parameters());
      }
    };
  }

  /** Two texts of different lengths through the text tower and its projection, two pictures through the other tower. */
  static NetworkPass clip(Activation activation) {
    return backend -> {
      int[] ids = {38, 5, 17, 39, 39, 39, 38, 22, 5, 1, 11, 39};
      try (ClipModel clip = TinyModels.clip(activation); MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        load(clip.parameters(), backend);
        Map<String, float[]> results = new LinkedHashMap<>();
        Tensor hidden = clip.text().forward(backend, ids, 2, tape);
        results.put("hidden state", hidden.toArray());
        Tensor texts = clip.text().project(hidden, ids, tape);
        results.put("text embeds", texts.toArray());
        clip.text().backward(
            clip.text().projectBackward(filled(backend, 11_000_000, texts.shape()), ids, tape), ids, tape);
        Tensor images = clip.vision().forward(filled(backend, 20_000_000, 2, 12, 12, 3), tape);
        results.put("image embeds", images.toArray());
        results.put("dPixels", clip.vision().backward(filled(backend, 21_000_000, images.shape()), tape).toArray());
        return withGradients(results, clip.parameters());
      }
    };
  }

  private static void load(Parameters parameters, Backend backend) throws IOException {
    GoldenWeights.load(parameters, backend);
    parameters.unfreeze();
  }

  private static Tensor filled(Backend backend, int start, int... dims) {
    return filled(backend, start, Shape.of(dims));
  }

  private static Tensor filled(Backend backend, int start, Shape shape) {
    return backend.of(shape, GoldenFill.sequence(start, shape.size()));
  }

  private static Map<String, float[]> withGradients(Map<String, float[]> results, Parameters trained) {
    for (Parameter parameter : trained.all()) {
      results.put("d " + parameter.name(), parameter.grad().toArray());
    }
    return results;
  }
}
