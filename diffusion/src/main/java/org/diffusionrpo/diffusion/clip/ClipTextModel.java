package org.diffusionrpo.diffusion.clip;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Embedding;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.LayerNorm;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * CLIP's text tower: a causal transformer. Radford et al. 2021, arXiv:2103.00020; CLIPTextModel and
 * CLIPTextModelWithProjection in transformers.
 * <pre>
 *   ids [N, T], one sequence after the other     last hidden state [N, T, C]     text embeds [N, E]
 *   text embeds = text_projection(last hidden state at the first EOS)
 * </pre>
 */
public final class ClipTextModel {
  private static final float TOKEN_STD = 0.02f;
  private static final float POSITION_STD = 0.01f;

  private final ClipTextConfig config;
  private final Embedding tokens;
  private final Embedding positions;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm finalNorm;
  private final Linear projection;

  /** @param withProjection false for SD 1.5's CLIPTextModel, which has no text embeds */
  public ClipTextModel(Parameters.Path root, ClipTextConfig config, boolean withProjection) {
    this.config = config;
    Parameters.Path path = root.at("text_model");
    int channels = config.tower().hiddenSize();
    this.tokens = new Embedding(path.at("embeddings").at("token_embedding"), config.vocabSize(), channels, TOKEN_STD);
    this.positions = new Embedding(path.at("embeddings").at("position_embedding"), config.maxPositions(), channels,
        POSITION_STD);
    for (int i = 0; i < config.tower().layers(); i++) {
      layers.add(new ClipEncoderLayer(path.at("encoder").at("layers", i), config.tower(), true));
    }
    this.finalNorm = new LayerNorm(path.at("final_layer_norm"), channels, config.tower().layerNormEps());
    this.projection = !withProjection ? null
        : new Linear(root.at("text_projection"), channels, config.projectionDim(), false);
  }

  public ClipTextConfig config() {
    return config;
  }

  /** Last hidden state after the final norm: the context of SD 1.5. */
  public Tensor forward(Backend backend, int[] ids, int samples, Tape tape) {
    try (MemoryScope scope = backend.scope()) {
      return scope.keep(finalNorm.forward(encode(backend, ids, samples, layers.size(), tape), tape));
    }
  }

  /** Output of the last layer but {@code skip}, without the final norm; skip = 1 is the context of SDXL. */
  public Tensor hiddenState(Backend backend, int[] ids, int samples, int skip) {
    if (skip < 0 || skip > layers.size()) {
      throw new IllegalArgumentException("hidden state " + skip + " from the end: the text tower has " + layers.size()
          + " layers");
    }
    return encode(backend, ids, samples, layers.size() - skip, Tape.NONE);
  }

  /** Text embeds by way of {@code hiddenState(.., 1)}: the last layer, the final norm and the projection. */
  public Tensor embedsOfPenultimate(Tensor penultimate, int[] ids) {
    try (MemoryScope scope = penultimate.backend().scope()) {
      Tensor last = layers.get(layers.size() - 1).forward(penultimate, Tape.NONE);
      return scope.keep(project(finalNorm.forward(last, Tape.NONE), ids, Tape.NONE));
    }
  }

  /** Adds to the gradients of all parameters for the gradient of the last hidden state. */
  public void backward(Tensor dHidden, int[] ids, Tape tape) {
    try (MemoryScope scope = dHidden.backend().scope()) {
      Tensor dh = finalNorm.backward(dHidden, tape);
      for (int i = layers.size() - 1; i >= 0; i--) {
        dh = layers.get(i).backward(dh, tape);
      }
      positions.backward(dh, positionIds(ids.length, dh.dim(1)));
      tokens.backward(dh, ids);
    }
  }

  /** Text embeds of a last hidden state, not normalised. */
  public Tensor project(Tensor hidden, int[] ids, Tape tape) {
    try (MemoryScope scope = hidden.backend().scope()) {
      return scope.keep(projection.forward(Rows.gather(hidden, eosRows(ids, hidden.dim(0))), tape));
    }
  }

  /** The gradient of the last hidden state for that of the text embeds. */
  public Tensor projectBackward(Tensor dEmbeds, int[] ids, Tape tape) {
    int samples = dEmbeds.dim(0);
    try (MemoryScope scope = dEmbeds.backend().scope()) {
      Tensor dPooled = projection.backward(dEmbeds, tape);
      return scope.keep(Rows.scatter(dPooled, eosRows(ids, samples), samples, ids.length / samples));
    }
  }

  private Tensor encode(Backend backend, int[] ids, int samples, int depth, Tape tape) {
    int length = ids.length / samples;
    if (length > config.maxPositions()) {
      throw new IllegalArgumentException("CLIP: " + length + " tokens, the text tower has "
          + config.maxPositions() + " positions");
    }
    try (MemoryScope scope = backend.scope()) {
      Tensor h = tokens.forward(backend, ids, samples);
      backend.addTo(h, positions.forward(backend, positionIds(ids.length, length), samples));
      for (int i = 0; i < depth; i++) {
        h = layers.get(i).forward(h, tape);
      }
      return scope.keep(h);
    }
  }

  /** Row of the first EOS of each sequence, counted over all sequences. */
  private int[] eosRows(int[] ids, int samples) {
    int length = ids.length / samples;
    int[] rows = new int[samples];
    for (int n = 0; n < samples; n++) {
      int at = n * length;
      while (at < (n + 1) * length && ids[at] != config.eosToken()) {
        at++;
      }
      if (at == (n + 1) * length) {
        throw new IllegalArgumentException("CLIP: sequence " + n + " has no end-of-text token " + config.eosToken());
      }
      rows[n] = at;
    }
    return rows;
  }

  private static int[] positionIds(int count, int length) {
    int[] positions = new int[count];
    for (int i = 0; i < count; i++) {
      positions[i] = i % length;
    }
    return positions;
  }
}
