package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
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
  final EncodedPairs pairs;
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
    this.pairs = new EncodedPairs(latents, contexts, gaussian("winners", 2 * latents.size()),
        gaussian("losers", 2 * latents.size()), gaussian("contexts", contexts.size()), new float[contexts.size()],
        embeddings("winner images"), embeddings("loser images"), embeddings("prompts"));
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
    return new PairBatches(data, policyModel.vae().value(), NoiseSchedule.of(policyModel.scheduler().value()), options);
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
