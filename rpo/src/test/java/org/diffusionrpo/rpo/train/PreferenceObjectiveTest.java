package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.rpo.loss.ContrastGroups;
import org.diffusionrpo.rpo.loss.ContrastWeights;
import org.diffusionrpo.rpo.loss.DiffusionDpo;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.diffusionrpo.rpo.loss.DiffusionRpo.Weighting;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.rpo.loss.Sft;
import org.diffusionrpo.rpo.loss.Similarity;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GradientCheck;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PreferenceObjectiveTest {
  /** Makes logits of about 1 with the moved policy, so that sigmoids and contrast weights all matter. */
  private static final double BETA = 60;

  private static final int BATCH = 5;

  /** Of ||a - b|| / ||b||: the split changes the order of float32 sums over samples and positions, measured 9e-7. */
  private static final double SPLIT_TOLERANCE = 1e-5;

  /**
   * Winners and losers pull against each other, so the slope is a small difference of large ones and the curvature
   * within the step shows, measured 2e-3, and so does the rounding of minimal filtering, which the difference quotient
   * magnifies: 7e-3. A loss that contrasts within micro-batches only is off by over 0.1.
   */
  private static final double SLOPE_TOLERANCE = 2e-2;

  /** Of a mean of equal doubles. */
  private static final double MEAN_TOLERANCE = 1e-12;

  /** All losses, each with the size of its contrast groups. */
  static Stream<Arguments> losses() {
    List<Arguments> cases = new ArrayList<>();
    cases.add(Arguments.of(new Sft(), BATCH));
    cases.add(Arguments.of(new DiffusionDpo(BETA), BATCH));
    for (int group : new int[] {1, 2, BATCH}) {
      for (Weighting weighting : Weighting.values()) {
        for (ContrastWeights weights : List.of(new ContrastWeights.Distance(Similarity.BOTH, 0.5),
            new ContrastWeights.Diagonal(0.8), new ContrastWeights.Uniform())) {
          cases.add(Arguments.of(new DiffusionRpo(BETA, weighting, weights), group));
        }
      }
    }
    return cases.stream();
  }

  static Stream<Arguments> preferenceLosses() {
    return losses().filter(arguments -> ((PreferenceLoss) arguments.get()[0]).usesReference());
  }

  static Stream<Arguments> contrastsOfOne() {
    return losses().filter(arguments -> arguments.get()[0] instanceof DiffusionRpo && arguments.get()[1].equals(1));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void microBatchesChangeOnlyTheRounding(PreferenceLoss loss, int group) throws IOException {
    try (Backend backend = CpuBackend.poisoned(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      ContrastGroups grouped = new ContrastGroups(loss, group);
      Outcome whole = Outcome.of(tiny, grouped, BATCH);
      long before = backend.memory().liveBytes();
      for (int microBatch : new int[] {1, 2, 3}) {
        Outcome split = Outcome.of(tiny, grouped, microBatch);
        assertEquals(whole.metrics, split.metrics, "forward does not depend on the batch");
        double distance = split.distance(whole);
        assertTrue(distance < SPLIT_TOLERANCE, () -> "micro-batch " + microBatch + ": off by " + distance);
      }
      assertEquals(before, backend.memory().liveBytes(), "bytes in use after updates");
    }
  }

  /** The whole chain: noise, network, errors, contrast across micro-batches, loss. */
  @ParameterizedTest
  @MethodSource("losses")
  void gradientMatchesFiniteDifferencesOfTheLoss(PreferenceLoss loss, int group) throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      PreferenceObjective objective =
          tiny.objective(new ContrastGroups(loss, group), TinyPreferences.options(BATCH, group), 2);
      List<Parameter> parameters = Stream.of("conv_in.weight", "time_embedding.linear_1.weight",
          "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v.weight", "mid_block.resnets.0.conv1.weight",
          "conv_out.bias").map(tiny.policy.parameters()::get).toList();
      GradientCheck.Worst worst = GradientCheck.worstDirection(parameters,
          () -> objective.accumulate(0).get(TrainLoop.LOSS), () -> objective.accumulate(0), 3);
      assertTrue(worst.error() < SLOPE_TOLERANCE, worst::toString);
    }
  }

  @Test
  void pairsOfDifferentMicroBatchesContrast() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      PreferenceLoss loss = new DiffusionRpo(BETA, Weighting.OUTSIDE, new ContrastWeights.Uniform());
      Outcome alone = Outcome.of(tiny, new ContrastGroups(loss, 1), 1);
      Outcome together = Outcome.of(tiny, new ContrastGroups(loss, BATCH), 1);
      assertNotEquals(alone.metrics.get(TrainLoop.LOSS), together.metrics.get(TrainLoop.LOSS));
      assertEquals(0, alone.metrics.get(LossMetric.OFF_DIAGONAL_LOSS.key()));
      assertTrue(together.metrics.get(LossMetric.OFF_DIAGONAL_LOSS.key()) > 0);
    }
  }

  @ParameterizedTest
  @MethodSource("preferenceLosses")
  void policyThatEqualsItsReferenceIsUndecidedAndLearnsAllTheSame(PreferenceLoss loss, int group) throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend)) {
      Outcome start = Outcome.of(tiny, new ContrastGroups(loss, group), 2);
      assertEquals(Math.log(2), start.metrics.get(TrainLoop.LOSS), MEAN_TOLERANCE);
      assertEquals(0, start.metrics.get(LossMetric.LOGIT_MEAN_ABS.key()));
      assertEquals(0, start.metrics.get(LossMetric.WINNER_DELTA.key()));
      assertEquals(0, start.metrics.get(LossMetric.LOSER_DELTA.key()));
      assertEquals(0.5, start.metrics.get(LossMetric.IMPLICIT_ACCURACY.key()));
      assertTrue(start.norm() > 0);
    }
  }

  @ParameterizedTest
  @MethodSource("contrastsOfOne")
  void contrastOfOneIsDiffusionDpo(PreferenceLoss loss, int group) throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      Outcome dpo = Outcome.of(tiny, new DiffusionDpo(BETA), BATCH);
      Outcome rpo = Outcome.of(tiny, new ContrastGroups(loss, group), BATCH);
      assertEquals(dpo.metrics.get(TrainLoop.LOSS), rpo.metrics.get(TrainLoop.LOSS));
      dpo.gradients.forEach((name, gradient) -> assertArrayEquals(gradient, rpo.gradients.get(name), name));
    }
  }

  @Test
  void referenceStaysUntouched() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      Map<String, float[]> before = new LinkedHashMap<>();
      tiny.reference.parameters().all().forEach(p -> before.put(p.name(), p.value().toArray()));
      Outcome.of(tiny, new DiffusionDpo(BETA), BATCH);
      Outcome.of(tiny, new DiffusionDpo(BETA), 2);
      for (Parameter parameter : tiny.reference.parameters().all()) {
        assertTrue(parameter.isFrozen(), parameter.name());
        assertArrayEquals(before.get(parameter.name()), parameter.value().toArray(), parameter.name());
      }
    }
  }

  @Test
  void sftReadsNeitherLosersNorReference() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend)) {
      PairsInMemory all = tiny.pairs;
      EncodedPairs winners = new PairsInMemory(all.latentShape(), all.contextShape(), all.emptyText(), all.pairs().stream()
          .map(pair -> new EncodedPair(pair.winner(), null, pair.text(), null)).toList(), List.of());
      PreferenceObjective objective = new PreferenceObjective(backend, tiny.policy, null, new Sft(),
          tiny.batches(winners, TinyPreferences.options(BATCH, 1)), 2);
      Map<String, Double> alone = objective.accumulate(0);
      assertEquals(Outcome.of(tiny, new Sft(), 2).metrics, alone);
      assertEquals(alone.get(TrainLoop.LOSS), alone.get(LossMetric.WINNER_ERROR.key()));
    }
  }

  @Test
  void resultDependsOnSeedAndStepAlone() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend).movePolicy()) {
      PreferenceLoss loss = new DiffusionDpo(BETA);
      PreferenceObjective late = tiny.objective(loss, TinyPreferences.options(BATCH, 1), BATCH);
      PreferenceObjective walked = tiny.objective(loss, TinyPreferences.options(BATCH, 1), BATCH);
      walked.accumulate(0);
      walked.accumulate(1);
      Outcome expected = Outcome.of(tiny, late, 3);
      Outcome actual = Outcome.of(tiny, walked, 3);
      assertEquals(expected.metrics, actual.metrics);
      expected.gradients.forEach((name, gradient) -> assertArrayEquals(gradient, actual.gradients.get(name), name));
      assertNotEquals(expected.metrics, walked.accumulate(2));
    }
  }

  @Test
  void microBatchOfNothingIsRefused() throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend)) {
      assertThrows(IllegalArgumentException.class,
          () -> tiny.objective(new Sft(), TinyPreferences.options(BATCH, 1), 0));
    }
  }

  /** What one update measured and the gradient it left. */
  private record Outcome(Map<String, Double> metrics, Map<String, float[]> gradients) {
    static Outcome of(TinyPreferences tiny, PreferenceLoss loss, int microBatch) {
      int group = loss instanceof ContrastGroups groups ? groups.size() : 1;
      return of(tiny, tiny.objective(loss, TinyPreferences.options(BATCH, group), microBatch), 0);
    }

    static Outcome of(TinyPreferences tiny, PreferenceObjective objective, int step) {
      tiny.policy.parameters().zeroGrad();
      Map<String, Double> metrics = objective.accumulate(step);
      Map<String, float[]> gradients = new LinkedHashMap<>();
      tiny.policy.parameters().all().forEach(p -> gradients.put(p.name(), p.grad().toArray()));
      return new Outcome(metrics, gradients);
    }

    /** ||this - other|| / ||other|| over all gradients. */
    double distance(Outcome other) {
      double sum = 0;
      for (Map.Entry<String, float[]> entry : gradients.entrySet()) {
        float[] theirs = other.gradients.get(entry.getKey());
        for (int i = 0; i < theirs.length; i++) {
          sum += Math.pow((double) entry.getValue()[i] - theirs[i], 2);
        }
      }
      return Math.sqrt(sum) / other.norm();
    }

    double norm() {
      double sum = 0;
      for (float[] gradient : gradients.values()) {
        for (float value : gradient) {
          sum += (double) value * value;
        }
      }
      return Math.sqrt(sum);
    }
  }
}
