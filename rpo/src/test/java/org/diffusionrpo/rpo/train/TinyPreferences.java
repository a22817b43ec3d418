package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.nn.Parameter;

/** A tiny UNet, its frozen reference and random pairs of 8 x 8 latents for both; all from fixed seeds. */
final class TinyPreferences implements AutoCloseable {
  static final int PAIRS = 7;
  static final long SEED = 11;

  private static final int SIDE = 8;
  private static final int EMBEDDING = 6;

  final Backend backend;
  final UNet2DConditionModel policy;
  final UNet2DConditionModel reference;
  final PairsInMemory pairs;
  private final StableDiffusion policyModel;
  private final StableDiffusion referenceModel;

  /** The policy equals the reference. */
  TinyPreferences(Backend backend) throws IOException {
    this.backend = backend;
    this.policyModel = TinyModel.create(backend);
    this.referenceModel = TinyModel.create(backend);
    this.policy = policyModel.unet().value();
    this.reference = referenceModel.unet().value();
    policy.parameters().unfreeze();
    Shape latents = Shape.of(SIDE, SIDE, policyModel.vae().value().config().latentChannels());
    Shape contexts = Shape.of(policyModel.tokenizer().maxLength(), policy.config().crossAttentionDim());
    this.pairs = new PairsInMemory(latents, contexts, new TextEmbedding(new float[contexts.size()]),
        pairs(gaussian("winners", 2 * latents.size()), gaussian("losers", 2 * latents.size()),
            gaussian("contexts", contexts.size())), List.of());
  }

  private static List<EncodedPair> pairs(List<float[]> winners, List<float[]> losers, List<float[]> contexts) {
    List<EncodedPair> pairs = new ArrayList<>();
    TimeIds ids = TimeIds.of(2 * SIDE, 2 * SIDE);
    for (int i = 0; i < PAIRS; i++) {
      pairs.add(new EncodedPair(new EncodedImage(winners.get(i), ids, embeddings("winner images").get(i)),
          new EncodedImage(losers.get(i), ids, embeddings("loser images").get(i)), new TextEmbedding(contexts.get(i)),
          embeddings("prompts").get(i)));
    }
    return pairs;
  }

  /** Moves the policy away from its reference, as training would. */
  TinyPreferences movePolicy() {
    for (Parameter parameter : policy.parameters().all()) {
      float[] values = parameter.value().toArray();
      Philox random = Philox.stream(SEED, "move/" + parameter.name(), 0);
      for (int i = 0; i < values.length; i++) {
        values[i] += 0.02f * (float) random.nextGaussian();
      }
      parameter.set(backend, values, Storage.F32);
    }
    return this;
  }

  PairBatches batches(PairBatches.Options options) {
    return batches(pairs, options);
  }

  PairBatches batches(EncodedPairs data, PairBatches.Options options) {
    return batches(data, policyModel.scheduler().value(), options);
  }

  PairBatches batches(EncodedPairs data, SchedulerConfig scheduler, PairBatches.Options options) {
    return new PairBatches(data, policyModel.vae().value(), scheduler, options);
  }

  /** The same pairs with what SDXL is told besides: a pooled embedding, and sizes that tell the pictures apart. */
  EncodedPairs xlPairs() {
    List<float[]> pooled = gaussian("pooled", EMBEDDING);
    List<EncodedPair> told = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      EncodedPair pair = pairs.pairs().get(i);
      told.add(new EncodedPair(told(pair.winner(), TimeIds.of(100 + i, 20)), told(pair.loser(), TimeIds.of(200 + i, 30)),
          new TextEmbedding(pair.text().context(), pooled.get(i)), pair.prompt()));
    }
    return new PairsInMemory(pairs.latentShape(), pairs.contextShape(),
        new TextEmbedding(pairs.emptyText().context(), new float[EMBEDDING]), told, List.of());
  }

  private static EncodedImage told(EncodedImage image, TimeIds timeIds) {
    return new EncodedImage(image.moments(), timeIds, image.embedding());
  }

  PreferenceObjective objective(PreferenceLoss loss, PairBatches.Options options, int microBatch) {
    return new PreferenceObjective(backend, policy,
        loss.usesReference() ? Reference.copy(reference) : null, loss, batches(options), microBatch);
  }

  static PairBatches.Options options(int batch, int group) {
    return new PairBatches.Options(batch, group, PairBatches.Timestep.GROUP, 0.2, SEED);
  }

  private static List<float[]> gaussian(String name, int size) {
    List<float[]> all = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      float[] values = new float[size];
      Philox.stream(SEED, name, i).fillGaussian(values);
      all.add(values);
    }
    return all;
  }

  private static List<double[]> embeddings(String name) {
    List<double[]> all = new ArrayList<>();
    for (float[] values : gaussian(name, EMBEDDING)) {
      double norm = 0;
      for (float value : values) {
        norm += (double) value * value;
      }
      double[] unit = new double[EMBEDDING];
      for (int i = 0; i < EMBEDDING; i++) {
        unit[i] = values[i] / Math.sqrt(norm);
      }
      all.add(unit);
    }
    return all;
  }

  @Override
  public void close() {
    policyModel.close();
    referenceModel.close();
  }
}
