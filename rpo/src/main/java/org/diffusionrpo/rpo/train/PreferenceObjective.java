package org.diffusionrpo.rpo.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.diffusion.train.TrainObjective;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.loss.PairErrors;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;

/**
 * SFT, Diffusion-DPO and Diffusion-RPO. All pairs of an update contrast with each other whatever fits into memory: when
 * the update is cut into micro-batches, a first pass without tape measures every error, the loss turns them into one
 * derivative per image, and a second pass runs forward and backward with these as weights. An update of one
 * micro-batch needs no first pass.
 */
public final class PreferenceObjective implements TrainObjective {
  private final Backend backend;
  private final UNet2DConditionModel policy;
  private final Reference reference;
  private final PreferenceLoss loss;
  private final PairBatches batches;
  private final int microBatch;

  /**
   * @param reference the start of the policy; null for a loss that does not use it
   * @param microBatch pairs at a time; changes memory, not the result
   */
  public PreferenceObjective(Backend backend, UNet2DConditionModel policy, Reference reference,
      PreferenceLoss loss, PairBatches batches, int microBatch) {
    if (microBatch < 1) {
      throw new IllegalArgumentException("micro-batch " + microBatch + ": expected at least one pair");
    }
    this.backend = backend;
    this.policy = policy;
    this.reference = reference;
    this.loss = loss;
    this.batches = batches;
    this.microBatch = microBatch;
  }

  @Override
  public Map<String, Double> accumulate(int step) {
    PairBatch batch = batches.batch(step, loss.usesLosers());
    PairFeatures features = batch.features();
    double[][] referenceErrors = loss.usesReference()
        ? reference.with(network -> batch.errors(backend, network, microBatch)) : new double[2][0];
    PreferenceLoss.Result result;
    if (batch.pairs() <= microBatch) {
      result = onePass(batch, referenceErrors, features);
    } else {
      result = evaluate(batch.errors(backend, policy, microBatch), referenceErrors, features);
      for (int from = 0; from < batch.pairs(); from += microBatch) {
        accumulate(batch, from, Math.min(batch.pairs(), from + microBatch), result);
      }
    }
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put(TrainLoop.LOSS, result.loss());
    result.metrics().forEach((metric, value) -> metrics.put(metric.key(), value));
    return metrics;
  }

  private PreferenceLoss.Result onePass(PairBatch batch, double[][] referenceErrors, PairFeatures features) {
    PreferenceLoss.Result[] result = new PreferenceLoss.Result[1];
    try (MemoryScope scope = backend.scope()) {
      batch.denoising(backend, 0, batch.pairs()).accumulate(policy, errors -> {
        result[0] = evaluate(batch.sides(errors), referenceErrors, features);
        return weights(batch, 0, batch.pairs(), result[0]);
      });
    }
    return result[0];
  }

  private void accumulate(PairBatch batch, int from, int to, PreferenceLoss.Result result) {
    try (MemoryScope scope = backend.scope()) {
      batch.denoising(backend, from, to).accumulate(policy, errors -> weights(batch, from, to, result));
    }
  }

  private PreferenceLoss.Result evaluate(double[][] policyErrors, double[][] referenceErrors, PairFeatures features) {
    return loss.evaluate(
        new PairErrors(policyErrors[0], policyErrors[1], referenceErrors[0], referenceErrors[1]), features);
  }

  private static float[] weights(PairBatch batch, int from, int to, PreferenceLoss.Result result) {
    int pairs = to - from;
    float[] weights = new float[batch.withLosers() ? 2 * pairs : pairs];
    for (int i = 0; i < pairs; i++) {
      weights[i] = (float) result.dWinner()[from + i];
      if (batch.withLosers()) {
        weights[pairs + i] = (float) result.dLoser()[from + i];
      }
    }
    return weights;
  }
}
