package org.diffusionrpo.diffusion.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Pointwise;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * The noise predictor of Stable Diffusion 1.5 and SDXL. Ronneberger et al. 2015, arXiv:1505.04597; Rombach et al.
 * 2022, arXiv:2112.10752; class, module and weight names as in diffusers.
 * <pre>
 *   x [N, H, W, 4]   t, one per sample   context [N, L, X]   y [N, H, W, 4]
 * </pre>
 * H and W need not be multiples of the downsampling factor.
 */
public final class UNet2DConditionModel implements AutoCloseable {
  private final UNetConfig config;
  private final Parameters parameters = new Parameters();
  private final TimestepEmbedding timeEmbedding;
  private final TimestepEmbedding addEmbedding;
  private final Layer timeAct = new Pointwise(Activation.SILU);
  private final Conv2d convIn;
  private final List<DownBlock> downBlocks = new ArrayList<>();
  private final MidBlock midBlock;
  private final List<UpBlock> upBlocks = new ArrayList<>();
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  public UNet2DConditionModel(UNetConfig config) {
    this(config, false);
  }

  /** @param checkpointing recompute every residual and transformer block in backward: less memory, more time */
  public UNet2DConditionModel(UNetConfig config, boolean checkpointing) {
    this.config = config;
    Parameters.Path root = parameters.root();
    List<Integer> channels = config.blockOutChannels();
    int first = channels.get(0);
    int levels = channels.size();
    this.convIn = Conv2d.same3x3(root.at("conv_in"), config.inChannels(), first);
    this.timeEmbedding = new TimestepEmbedding(root.at("time_embedding"), first, config.timeEmbedDim());
    this.addEmbedding = !config.addedTextTime() ? null
        : new TimestepEmbedding(root.at("add_embedding"), config.projectionInputDim(), config.timeEmbedDim());
    for (int i = 0; i < levels; i++) {
      LevelBuilder level = level(root.at("down_blocks", i), i, config.downAttention().get(i), checkpointing);
      downBlocks.add(new DownBlock(level, channels.get(Math.max(0, i - 1)), config.layersPerBlock(), i == levels - 1));
    }
    this.midBlock = new MidBlock(level(root.at("mid_block"), levels - 1, true, checkpointing));
    for (int i = 0; i < levels; i++) {
      int mirror = levels - 1 - i;
      LevelBuilder level = level(root.at("up_blocks", i), mirror, config.upAttention().get(i), checkpointing);
      int in = channels.get(Math.min(levels - 1, mirror + 1));
      upBlocks.add(new UpBlock(level, in, skipChannels(mirror), i == levels - 1));
    }
    this.convNormOut = GroupNorm.withSilu(root.at("conv_norm_out"), config.normNumGroups(), first, config.normEps());
    this.convOut = Conv2d.same3x3(root.at("conv_out"), first, config.outChannels());
  }

  public UNetConfig config() {
    return config;
  }

  public Parameters parameters() {
    return parameters;
  }

  /**
   * Predicts the noise.
   *
   * @param added SDXL's conditions; null for a model without them
   */
  public Tensor forward(Tensor x, float[] timesteps, Tensor context, AddedConditions added, Tape tape) {
    try (MemoryScope scope = x.backend().scope()) {
      return scope.keep(forward(x, timeFeatures(x.backend(), timesteps, added), context, tape));
    }
  }

  /** Predicts the noise by work of the backend alone, which {@link Backend#record} can repeat. */
  public Tensor forward(Tensor x, TimeFeatures features, Tensor context, Tape tape) {
    check(x, features, context);
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor time = timeAct.forward(embedTime(features, tape), tape);
      Deque<Tensor> skips = new ArrayDeque<>();
      Tensor h = convIn.forward(x, tape);
      skips.push(h);
      for (DownBlock block : downBlocks) {
        h = block.forward(h, time, context, skips, tape);
      }
      h = midBlock.forward(h, time, context, tape);
      for (UpBlock block : upBlocks) {
        h = block.forward(h, time, context, skips, tape);
      }
      h = convNormOut.forward(h, tape);
      return scope.keep(convOut.forward(h, tape));
    }
  }

  /**
   * Returns dx for dy, adds to the gradients of all parameters that are not frozen, and to {@code dContext} unless it
   * is null.
   */
  public Tensor backward(Tensor dy, Tensor dContext, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dTime = backend.zeros(Shape.of(dy.dim(0), config.timeEmbedDim()));
      Tensor dh = convOut.backward(dy, tape);
      dh = convNormOut.backward(dh, tape);
      Deque<Tensor> dSkips = new ArrayDeque<>();
      for (int i = upBlocks.size() - 1; i >= 0; i--) {
        dh = upBlocks.get(i).backward(dh, dTime, dContext, dSkips, tape);
      }
      dh = midBlock.backward(dh, dTime, dContext, tape);
      for (int i = downBlocks.size() - 1; i >= 0; i--) {
        dh = downBlocks.get(i).backward(dh, dTime, dContext, dSkips, tape);
      }
      backend.addTo(dh, dSkips.pop());
      Tensor dx = convIn.backward(dh, tape);
      Tensor dEmbedding = timeAct.backward(dTime, tape);
      if (addEmbedding != null) {
        addEmbedding.backward(dEmbedding, tape);
      }
      timeEmbedding.backward(dEmbedding, tape);
      return scope.keep(dx);
    }
  }

  /**
   * Uploads what {@link #forward(Tensor, TimeFeatures, Tensor, Tape)} is told of times.
   *
   * @param added SDXL's conditions; null for a model without them
   */
  public TimeFeatures timeFeatures(Backend backend, float[] timesteps, AddedConditions added) {
    if ((added != null) != config.addedTextTime()) {
      throw new IllegalArgumentException(config.addedTextTime()
          ? "UNet: this model needs text_embeds and time_ids (SDXL)"
          : "UNet: this model takes no text_embeds and time_ids");
    }
    int dim = config.blockOutChannels().get(0);
    Tensor sinusoids = backend.of(Shape.of(timesteps.length, dim), sinusoids(timesteps, dim));
    return new TimeFeatures(sinusoids, added == null ? null : addedInput(backend, added));
  }

  /** Overwrites the timesteps of the samples. */
  public void setTimesteps(TimeFeatures features, float[] timesteps) {
    Tensor sinusoids = features.timesteps();
    sinusoids.backend().write(sinusoids, sinusoids(timesteps, sinusoids.dim(1)));
  }

  @Override
  public void close() {
    parameters.close();
  }

  private Tensor embedTime(TimeFeatures features, Tape tape) {
    Tensor embedding = timeEmbedding.forward(features.timesteps(), tape);
    if (addEmbedding != null) {
      embedding.backend().addTo(embedding, addEmbedding.forward(features.added(), tape));
    }
    return embedding;
  }

  /** [N, E + 6 D]: the pooled text embedding, then the sinusoids of the six numbers. */
  private Tensor addedInput(Backend backend, AddedConditions added) {
    int samples = added.timeIds().length;
    int dim = config.additionTimeEmbedDim();
    int ids = added.timeIds()[0].length;
    float[] flat = new float[samples * ids];
    for (int n = 0; n < samples; n++) {
      System.arraycopy(added.timeIds()[n], 0, flat, n * ids, ids);
    }
    Tensor sinusoids = backend.of(Shape.of(samples, ids * dim), sinusoids(flat, dim));
    Tensor joined = backend.empty(Shape.of(samples, added.textEmbeds().dim(1) + ids * dim));
    backend.concat(joined, added.textEmbeds(), sinusoids, 1);
    return joined;
  }

  private float[] sinusoids(float[] values, int dim) {
    return TimestepEmbedding.sinusoid(values, dim, config.flipSinToCos(), config.freqShift());
  }

  private LevelBuilder level(Parameters.Path path, int level, boolean attention, boolean checkpointing) {
    return new LevelBuilder(path, config, config.blockOutChannels().get(level), attention, config.heads().get(level),
        config.transformerLayers().get(level), checkpointing);
  }

  /** Channels of the skips that up level {@code level} uses: its own outputs, then the level above's last. */
  private int[] skipChannels(int level) {
    int[] skips = new int[config.layersPerBlock() + 1];
    java.util.Arrays.fill(skips, config.blockOutChannels().get(level));
    skips[skips.length - 1] = config.blockOutChannels().get(Math.max(0, level - 1));
    return skips;
  }

  private void check(Tensor x, TimeFeatures features, Tensor context) {
    int samples = features.timesteps().dim(0);
    if (x.shape().rank() != 4 || x.dim(3) != config.inChannels() || samples != x.dim(0)
        || context.shape().rank() != 3 || context.dim(0) != x.dim(0) || context.dim(2) != config.crossAttentionDim()) {
      throw new IllegalArgumentException("UNet: expected x [N, H, W, " + config.inChannels() + "], N timesteps and "
          + "context [N, L, " + config.crossAttentionDim() + "]; got " + x.shape() + ", " + samples + ", "
          + context.shape());
    }
  }
}
