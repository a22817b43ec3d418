package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Map;
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
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Optimizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The proof that an objective trains: on one batch, drawn once, it must win completely. */
class OverfitTest {
  private static final int BATCH = 5;
  private static final int STEPS = 24;
  private static final double LEARNING_RATE = 1e-3;
  private static final double BETA = 100;

  @Test
  void diffusionDpoLearnsEveryPairOfABatch() throws IOException {
    assertLearns(new DiffusionDpo(BETA));
  }

  @ParameterizedTest
  @EnumSource
  void diffusionRpoLearnsEveryPairOfABatch(Weighting weighting) throws IOException {
    assertLearns(new DiffusionRpo(BETA, weighting, new ContrastWeights.Distance(Similarity.BOTH, 0.5)));
  }

  private static void assertLearns(PreferenceLoss loss) throws IOException {
    Map<String, Double> end = train(new ContrastGroups(loss, BATCH));
    String all = end.toString();
    assertTrue(end.get(TrainLoop.LOSS) < 0.1 * Math.log(2), all);
    assertEquals(1, end.get(LossMetric.IMPLICIT_ACCURACY.key()), all);
    assertTrue(end.get(LossMetric.WINNER_DELTA.key()) < 0, all);
    assertTrue(end.get(LossMetric.LOSER_DELTA.key()) > 0, all);
  }

  @Test
  void sftDrawsTheWinnersBetter() throws IOException {
    Map<String, Double> end = train(new Sft());
    assertTrue(end.get(TrainLoop.LOSS) < 0.5, "an untrained network has an error of 1: " + end);
  }

  /** Measurements of the update after the last one made. */
  private static Map<String, Double> train(PreferenceLoss loss) throws IOException {
    try (Backend backend = new CpuBackend(); TinyPreferences tiny = new TinyPreferences(backend);
        Optimizer optimizer =
            new AdamW(tiny.policy.parameters().all(), new AdamW.Options(0.9, 0.999, 1e-8, 0))) {
      PreferenceObjective objective = tiny.objective(loss, TinyPreferences.options(BATCH, BATCH), BATCH);
      for (int step = 0; step < STEPS; step++) {
        tiny.policy.parameters().zeroGrad();
        objective.accumulate(0);
        optimizer.step(LEARNING_RATE);
      }
      return objective.accumulate(0);
    }
  }
}
