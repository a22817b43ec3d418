package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.train.EncodedImage;
import org.diffusionrpo.rpo.train.EncodedPair;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairBatches;
import org.diffusionrpo.rpo.train.PairsInMemory;
import org.diffusionrpo.rpo.train.PreferenceObjective;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.diffusionrpo.tensor.optim.Adafactor;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Gradients;
import org.diffusionrpo.tensor.optim.Optimizer;

/** Whole networks as the commands run them. */
final class OurNetworks {
  private static final long SEED = 1;

  private OurNetworks() {}

  static Runnable unet(Backend backend, Row.UNet row) {
    UNet2DConditionModel unet = new UNet2DConditionModel(Networks.stableDiffusion15(), row.checkpointing());
    unet.parameters().initialize(backend, SEED);
    Tensor x = random(backend, "x", row.samples(), row.side(), row.side(), unet.config().inChannels());
    Tensor context = random(backend, "context", row.samples(), Row.UNet.TOKENS, unet.config().crossAttentionDim());
    float[] timesteps = new float[row.samples()];
    Arrays.fill(timesteps, Networks.TIMESTEP);
    if (!row.backward()) {
      return () -> {
        try (MemoryScope scope = backend.scope()) {
          unet.forward(x, timesteps, context, null, Tape.NONE);
        }
      };
    }
    unet.parameters().unfreeze();
    Tensor dy = random(backend, "dy", row.samples(), row.side(), row.side(), unet.config().outChannels());
    return () -> {
      unet.parameters().zeroGrad();
      try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        unet.forward(x, timesteps, context, null, tape);
        unet.backward(dy, null, tape);
      }
    };
  }

  /** The update of {@code TrainLoop} with the objective that {@code drpo align} makes, without log and checkpoint. */
  static Runnable rpoStep(Backend backend, Row.RpoStep row) {
    try {
      ModelFolder folder = ModelFolder.open(Bundled.require(Bundled.model()));
      StableDiffusion model = StableDiffusion.load(folder, backend, LoadOptions.F32);
      UNet2DConditionModel policy = model.unet().value();
      UNet2DConditionModel reference = folder.loadUNet(backend, Storage.F32, false).value();
      policy.parameters().unfreeze();
      return update(backend, model, policy, reference, row.pairs(), row.pairs(),
          new AdamW(policy.parameters().all(), AdamW.Options.DEFAULT));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The same for Stable Diffusion 1.5's UNet with random weights at 64 x 64 latents: checkpointing, Adafactor, one pair
   * at a time.
   */
  static Runnable stableDiffusion15Step(Backend backend, int pairs) {
    try {
      ModelFolder folder = ModelFolder.open(Bundled.require(Bundled.model()));
      StableDiffusion bundled = StableDiffusion.load(folder, backend, LoadOptions.F32);
      UNet2DConditionModel policy = new UNet2DConditionModel(Networks.stableDiffusion15(), true);
      UNet2DConditionModel reference = new UNet2DConditionModel(Networks.stableDiffusion15(), false);
      policy.parameters().initialize(backend, SEED);
      reference.parameters().initialize(backend, SEED);
      policy.parameters().unfreeze();
      return update(backend, bundled, policy, reference, pairs, 1, new Adafactor(policy.parameters().all(), 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** @param parts gives VAE, noise schedule and number of tokens */
  private static Runnable update(Backend backend, StableDiffusion parts, UNet2DConditionModel policy,
      UNet2DConditionModel reference, int pairs, int microBatch, Optimizer optimizer) {
    PairBatches batches = new PairBatches(pairs(policy, parts.tokenizer().maxLength(), pairs), parts.vae().value(),
        parts.scheduler().value(), new PairBatches.Options(pairs, pairs, PairBatches.Timestep.GROUP, 0.2, SEED));
    PreferenceObjective objective =
        new PreferenceObjective(backend, policy, Reference.copy(reference), Networks.rpoLoss(), batches, microBatch);
    return new Update(policy.parameters(), objective, optimizer);
  }

  private static final class Update implements Runnable {
    private final Parameters parameters;
    private final PreferenceObjective objective;
    private final Optimizer optimizer;
    private int step;

    Update(Parameters parameters, PreferenceObjective objective, Optimizer optimizer) {
      this.parameters = parameters;
      this.objective = objective;
      this.optimizer = optimizer;
    }

    @Override
    public void run() {
      parameters.zeroGrad();
      objective.accumulate(step++);
      double norm = Gradients.norm(parameters.all());
      Gradients.clip(parameters.all(), norm, Networks.MAX_GRAD_NORM);
      optimizer.step(Networks.LEARNING_RATE);
    }
  }

  private static EncodedPairs pairs(UNet2DConditionModel unet, int tokens, int count) {
    int side = unet.config().sampleSize();
    Shape latents = Shape.of(side, side, unet.config().inChannels());
    Shape contexts = Shape.of(tokens, unet.config().crossAttentionDim());
    List<float[]> winners = arrays("winner", count, 2 * latents.size());
    List<float[]> losers = arrays("loser", count, 2 * latents.size());
    List<float[]> texts = arrays("context", count, contexts.size());
    List<double[]> winnerEmbeddings = Networks.embeddings("winner image", count);
    List<double[]> loserEmbeddings = Networks.embeddings("loser image", count);
    List<double[]> prompts = Networks.embeddings("prompt", count);
    TimeIds ids = TimeIds.of(side, side);
    List<EncodedPair> pairs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pairs.add(new EncodedPair(new EncodedImage(winners.get(i), ids, winnerEmbeddings.get(i)),
          new EncodedImage(losers.get(i), ids, loserEmbeddings.get(i)), new TextEmbedding(texts.get(i)),
          prompts.get(i)));
    }
    return new PairsInMemory(latents, contexts, new TextEmbedding(new float[contexts.size()]), pairs, List.of());
  }

  private static List<float[]> arrays(String name, int count, int length) {
    List<float[]> arrays = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      arrays.add(Operands.random(name + i, length));
    }
    return arrays;
  }

  private static Tensor random(Backend backend, String name, int... dims) {
    Shape shape = Shape.of(dims);
    return backend.of(shape, Operands.random(name, shape.size()));
  }
}
