package org.diffusionrpo.diffusion.clip;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.Init;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.LayerNorm;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * CLIP's vision tower: a vision transformer. Dosovitskiy et al. 2020, arXiv:2010.11929; Radford et al. 2021,
 * arXiv:2103.00020; CLIPVisionModelWithProjection in transformers.
 * <pre>
 *   pixels [N, S, S, 3], normalised     image embeds [N, E]
 *   h = pre_layrnorm([class, patches] + positions);   embeds = visual_projection(post_layernorm(layers(h)[0]))
 * </pre>
 */
public final class ClipVisionModel {
  private static final float STD = 0.02f;

  private final ClipVisionConfig config;
  private final Parameter classEmbedding;
  private final Conv2d patches;
  private final Parameter positions;
  private final LayerNorm preNorm;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm postNorm;
  private final Linear projection;

  public ClipVisionModel(Parameters.Path root, ClipVisionConfig config) {
    this.config = config;
    Parameters.Path path = root.at("vision_model");
    Parameters.Path embeddings = path.at("embeddings");
    int channels = config.tower().hiddenSize();
    float eps = config.tower().layerNormEps();
    this.classEmbedding = embeddings.create("class_embedding", Shape.of(channels), Init.normal(STD));
    this.patches = new Conv2d(embeddings.at("patch_embedding"), 3, channels, config.patchSize(),
        Conv2dGeometry.of(config.patchSize(), 0), false);
    this.positions = embeddings.at("position_embedding").create("weight",
        Shape.of(config.grid() * config.grid() + 1, channels), Init.normal(STD));
    this.preNorm = new LayerNorm(path.at("pre_layrnorm"), channels, eps); // spelled so in every checkpoint
    for (int i = 0; i < config.tower().layers(); i++) {
      layers.add(new ClipEncoderLayer(path.at("encoder").at("layers", i), config.tower(), false));
    }
    this.postNorm = new LayerNorm(path.at("post_layernorm"), channels, eps);
    this.projection = new Linear(root.at("visual_projection"), channels, config.projectionDim(), false);
  }

  public ClipVisionConfig config() {
    return config;
  }

  /** Image embeds, not normalised. */
  public Tensor forward(Tensor pixels, Tape tape) {
    Backend backend = pixels.backend();
    int samples = pixels.dim(0);
    int channels = config.tower().hiddenSize();
    int patchCount = config.grid() * config.grid();
    try (MemoryScope scope = backend.scope()) {
      Tensor patch = patches.forward(pixels, tape).reshape(samples, patchCount, channels);
      Tensor first = backend.zeros(Shape.of(samples, 1, channels));
      backend.addBroadcast(first, first, classEmbedding.value());
      Tensor h = backend.empty(Shape.of(samples, patchCount + 1, channels));
      backend.concat(h, first, patch, 1);
      backend.addBroadcast(h, h, positions.value());
      h = preNorm.forward(h, tape);
      for (Layer layer : layers) {
        h = layer.forward(h, tape);
      }
      Tensor pooled = postNorm.forward(Rows.gather(h, classRows(samples)), tape);
      return scope.keep(projection.forward(pooled, tape));
    }
  }

  /** Returns the gradient of the pixels for that of the image embeds; adds to those of the parameters. */
  public Tensor backward(Tensor dEmbeds, Tape tape) {
    Backend backend = dEmbeds.backend();
    int samples = dEmbeds.dim(0);
    int channels = config.tower().hiddenSize();
    int grid = config.grid();
    try (MemoryScope scope = backend.scope()) {
      Tensor dPooled = postNorm.backward(projection.backward(dEmbeds, tape), tape);
      Tensor dh = Rows.scatter(dPooled, classRows(samples), samples, grid * grid + 1);
      for (int i = layers.size() - 1; i >= 0; i--) {
        dh = layers.get(i).backward(dh, tape);
      }
      dh = preNorm.backward(dh, tape);
      backend.sumRows(positions.grad(), dh);
      Tensor dFirst = backend.empty(Shape.of(samples, 1, channels));
      Tensor dPatch = backend.empty(Shape.of(samples, grid * grid, channels));
      backend.split(dFirst, dPatch, dh, 1);
      backend.sumRows(classEmbedding.grad(), dFirst);
      return scope.keep(patches.backward(dPatch.reshape(samples, grid, grid, channels), tape));
    }
  }

  private int[] classRows(int samples) {
    int[] rows = new int[samples];
    for (int n = 0; n < samples; n++) {
      rows[n] = n * (config.grid() * config.grid() + 1);
    }
    return rows;
  }
}
