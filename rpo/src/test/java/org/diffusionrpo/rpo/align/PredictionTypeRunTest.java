package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on models that do not predict the noise. */
class PredictionTypeRunTest {
  @TempDir Path folder;
  private TinyRuns runs;

  @BeforeEach
  void create() throws IOException {
    runs = TinyRuns.create(folder);
  }

  @Test
  void velocityIsAlignedByItsOwnErrors() throws IOException {
    Map<String, Double> noise = firstUpdate("noise");
    predict("v_prediction");
    Map<String, Double> velocity = firstUpdate("velocity");
    assertEquals(Math.log(2), velocity.get(TrainLoop.LOSS), 1e-12, "a preference loss starts undecided");
    assertNotEquals(noise.get(LossMetric.WINNER_ERROR.key()), velocity.get(LossMetric.WINNER_ERROR.key()));
  }

  @Test
  void modelThatPredictsThePictureIsRefusedBeforeAnythingIsWritten() throws IOException {
    predict("sample");
    AlignSettings settings = runs.settings("sample");
    String message = assertThrows(IllegalArgumentException.class, () -> AlignRun.run(settings, AlignListener.SILENT))
        .getMessage();
    assertTrue(message.contains("predicts the clean sample") && message.contains("v_prediction"), message);
    assertFalse(Files.exists(settings.out));
  }

  private Map<String, Double> firstUpdate(String name) throws IOException {
    AlignSettings settings = runs.settings(name);
    settings.steps = 2;
    settings.samples = 0;
    assertTrue(AlignRun.run(settings, AlignListener.SILENT).finished());
    return MetricsLog.read(settings.out.resolve("metrics.jsonl")).get(0).values();
  }

  private void predict(String type) throws IOException {
    Path file = runs.model().resolve("scheduler/scheduler_config.json");
    String config = Files.readString(file);
    assertTrue(config.contains("\"epsilon\""), config);
    Files.writeString(file, config.replace("\"epsilon\"", "\"" + type + "\""));
  }
}
