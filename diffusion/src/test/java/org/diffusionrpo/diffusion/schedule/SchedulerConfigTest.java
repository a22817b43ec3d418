package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulerConfigTest {
  private static final String SD_15 = """
      {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
       "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
       "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
       "clip_sample": false}""";
  private static final String SDXL = """
      {"_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
       "beta_start": 0.00085, "clip_sample": false, "interpolation_type": "linear", "num_train_timesteps": 1000,
       "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": false, "skip_prk_steps": true,
       "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": null, "use_karras_sigmas": false}""";

  @TempDir Path folder;

  @Test
  void readsTheFileOfStableDiffusion15() throws IOException {
    SchedulerConfig config = read(SD_15);
    assertEquals(SchedulerConfig.stableDiffusion(), config);
    assertEquals(SamplerKind.PNDM, SamplerKind.of(config));
    assertNull(config.timestepSpacing());
  }

  @Test
  void eachSamplerTakesItsOwnDefaultForWhatTheFileLeavesOut() throws IOException {
    SchedulerConfig sd15 = read(SD_15);
    assertEquals(751, new DdimSampler(sd15, 4, 0).timestep(0), "leading");
    assertEquals(751, new PndmSampler(sd15, 4).timestep(0), "leading");
    assertEquals(751, new DdpmSampler(sd15, 4).timestep(0), "leading");
    assertEquals(999, new EulerSampler(sd15, 4).timestep(0), "linspace");
    assertEquals(999, new EulerAncestralSampler(sd15, 4).timestep(0), "linspace");
    assertEquals(999, new DpmSolverSampler(sd15, 4).timestep(0), "linspace");
    SchedulerConfig sdxl = read(SDXL);
    assertEquals(SamplerKind.EULER, SamplerKind.of(sdxl));
    for (SamplerKind kind : SamplerKind.values()) {
      if (kind != SamplerKind.DPM_SOLVER && kind != SamplerKind.DPM_SOLVER_KARRAS) {
        assertEquals(751, kind.create(sdxl, 4).timestep(0), kind.label());
      }
    }
    assertEquals(801, SamplerKind.DPM_SOLVER.create(sdxl, 4).timestep(0), "leading, clear of 0");
    assertEquals(999, SamplerKind.DPM_SOLVER_KARRAS.create(sdxl, 4).timestep(0), "the whole range");
  }

  @Test
  void readsBackWhatItWrites() throws IOException {
    SchedulerConfig written = read(SDXL).withTimestepSpacing(TimestepSpacing.TRAILING).withKarrasSigmas(true);
    Path file = folder.resolve("written.json");
    written.write(file);
    assertEquals(written, SchedulerConfig.read(file));
    assertTrue(Files.readString(file).contains("\"_class_name\" : \"EulerDiscreteScheduler\""));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      {"beta_start": 0}                  | beta_start: expected between 0 and 1, got 0.0
      {"num_train_timesteps": 1}         | num_train_timesteps: expected at least 2, got 1
      {"steps_offset": -1}               | steps_offset: expected 0 or more, got -1
      {"trained_betas": [0.1]}           | trained_betas: expected as many as num_train_timesteps 1000
      {"timestep_spacing": "middle"}     | TimestepSpacing` from String "middle"
      {"beta_schedule": "cosine"}        | BetaSchedule` from String "cosine"
      {"prediction_type": "flow"}        | PredictionType` from String "flow"
      {"beta_start": "a"}                | "a"
      [1]                                | config.json
      {"a"                               | config.json
      """)
  void namesTheFileTheKeyAndTheFault(String json, String part) {
    IOException e = assertThrows(IOException.class, () -> read(json));
    assertTrue(e.getMessage().contains("config.json") && e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void namesTheSamplersThereAre() {
    assertEquals(SamplerKind.DPM_SOLVER, SamplerKind.named("dpm++2m"));
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> SamplerKind.named("heun"));
    assertTrue(e.getMessage().contains("heun") && e.getMessage().contains("ddim, ddpm, pndm"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> SamplerKind.of(read("{\"_class_name\": \"LCMScheduler\"}")));
    assertThrows(IllegalArgumentException.class, () -> SamplerKind.of(read("{}")));
  }

  private SchedulerConfig read(String json) throws IOException {
    return SchedulerConfig.read(Files.writeString(folder.resolve("scheduler_config.json"), json));
  }
}
