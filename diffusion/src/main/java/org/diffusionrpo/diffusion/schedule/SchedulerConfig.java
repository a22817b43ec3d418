package org.diffusionrpo.diffusion.schedule;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The content of a diffusers {@code scheduler_config.json}. One file serves every sampler, as in diffusers: a sampler
 * takes the keys it knows and its own default for those the file does not have, which is why some components stay
 * null. Unknown keys are ignored.
 *
 * @param className {@code _class_name}: the sampler that the model's authors chose; null if absent
 * @param numTrainTimesteps T, the number of noise levels
 * @param trainedBetas the variances themselves instead of a formula; null if absent
 * @param timestepSpacing null if absent: each sampler has its own default
 * @param setAlphaToOne whether the last step goes to no noise at all (true) or to timestep 0; null if absent
 * @param clipSample whether the predicted image is clamped to [-1, 1]: for models in pixel space only, so the default
 *     here is false although diffusers' DDIM and DDPM have true
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record SchedulerConfig(
    @JsonProperty("_class_name") String className,
    Integer numTrainTimesteps,
    Double betaStart,
    Double betaEnd,
    BetaSchedule betaSchedule,
    List<Double> trainedBetas,
    PredictionType predictionType,
    TimestepSpacing timestepSpacing,
    Integer stepsOffset,
    Boolean setAlphaToOne,
    Boolean clipSample,
    Boolean useKarrasSigmas,
    Boolean rescaleBetasZeroSnr,
    DdpmSampler.VarianceType varianceType,
    Boolean skipPrkSteps) {

  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
      .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);

  public SchedulerConfig {
    numTrainTimesteps = orElse(numTrainTimesteps, 1000);
    betaStart = orElse(betaStart, 0.0001);
    betaEnd = orElse(betaEnd, 0.02);
    betaSchedule = orElse(betaSchedule, BetaSchedule.LINEAR);
    predictionType = orElse(predictionType, PredictionType.EPSILON);
    stepsOffset = orElse(stepsOffset, 0);
    clipSample = orElse(clipSample, false);
    useKarrasSigmas = orElse(useKarrasSigmas, false);
    rescaleBetasZeroSnr = orElse(rescaleBetasZeroSnr, false);
    varianceType = orElse(varianceType, DdpmSampler.VarianceType.FIXED_SMALL);
    check(numTrainTimesteps >= 2, "num_train_timesteps", numTrainTimesteps, "at least 2");
    check(betaStart > 0 && betaStart < 1, "beta_start", betaStart, "between 0 and 1");
    check(betaEnd > 0 && betaEnd < 1, "beta_end", betaEnd, "between 0 and 1");
    check(stepsOffset >= 0, "steps_offset", stepsOffset, "0 or more");
    if (trainedBetas != null) {
      trainedBetas = List.copyOf(trainedBetas);
      check(trainedBetas.size() == numTrainTimesteps, "trained_betas", trainedBetas.size() + " numbers",
          "as many as num_train_timesteps " + numTrainTimesteps);
      trainedBetas.forEach(beta -> check(beta > 0 && beta < 1, "trained_betas", beta, "between 0 and 1"));
    }
  }

  /** Stable Diffusion's own: 1000 timesteps, scaled_linear from 0.00085 to 0.012, noise prediction. */
  public static SchedulerConfig stableDiffusion() {
    return new SchedulerConfig("PNDMScheduler", 1000, 0.00085, 0.012, BetaSchedule.SCALED_LINEAR, null,
        PredictionType.EPSILON, null, 1, false, false, null, null, null, true);
  }

  /** Reads {@code scheduler_config.json}. */
  public static SchedulerConfig read(Path file) throws IOException {
    return parse(file.toString(), Files.readString(file));
  }

  /** @param source what to call it in messages */
  public static SchedulerConfig parse(String source, String json) throws IOException {
    try {
      return JSON.readValue(json, SchedulerConfig.class);
    } catch (JsonProcessingException e) {
      throw new IOException(source + ": " + e.getOriginalMessage(), e);
    }
  }

  public void write(Path file) throws IOException {
    Files.writeString(file, JSON.writeValueAsString(this) + "\n");
  }

  public SchedulerConfig withTimestepSpacing(TimestepSpacing spacing) {
    return new SchedulerConfig(className, numTrainTimesteps, betaStart, betaEnd, betaSchedule, trainedBetas,
        predictionType, spacing, stepsOffset, setAlphaToOne, clipSample, useKarrasSigmas, rescaleBetasZeroSnr,
        varianceType, skipPrkSteps);
  }

  public SchedulerConfig withKarrasSigmas(boolean karras) {
    return new SchedulerConfig(className, numTrainTimesteps, betaStart, betaEnd, betaSchedule, trainedBetas,
        predictionType, timestepSpacing, stepsOffset, setAlphaToOne, clipSample, karras, rescaleBetasZeroSnr,
        varianceType, skipPrkSteps);
  }

  TimestepSpacing spacingOr(TimestepSpacing samplersDefault) {
    return orElse(timestepSpacing, samplersDefault);
  }

  boolean setAlphaToOneOr(boolean samplersDefault) {
    return orElse(setAlphaToOne, samplersDefault);
  }

  private static <T> T orElse(T value, T fallback) {
    return value == null ? fallback : value;
  }

  private static void check(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(key + ": expected " + expected + ", got " + value);
    }
  }
}
