package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.diffusionrpo.rpo.loss.ContrastGroups;
import org.diffusionrpo.rpo.loss.ContrastWeights;
import org.diffusionrpo.rpo.loss.DiffusionDpo;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.diffusionrpo.rpo.loss.DiffusionRpo.Weighting;
import org.diffusionrpo.rpo.loss.PairErrors;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.rpo.loss.Sft;
import org.diffusionrpo.rpo.loss.Similarity;
import org.diffusionrpo.rpo.train.PairBatches;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class AlignSettingsTest {
  private static final int BATCH = 4;
  private static final ContrastWeights DISTANCE = distance(Similarity.BOTH, 0.5);

  /** Changes of about 1e-4, so that the logits of the default betas are of order 1. */
  private static final PairErrors ERRORS = new PairErrors(
      new double[] {0.1199, 0.1201, 0.1197, 0.1200}, new double[] {0.1202, 0.1200, 0.1201, 0.1204},
      new double[] {0.12, 0.12, 0.12, 0.12}, new double[] {0.12, 0.12, 0.12, 0.12});
  private static final PairFeatures FEATURES =
      PairFeatures.ofPairs(units(0, 0.4, 1.1, 2), units(0.3, 1.2, 1.9, 2.9), units(0, 0.9, 1.4, 3));

  @Test
  void whatIsLeftOpenIsTheRecommendedObjective() {
    AlignSettings settings = parse("--batch 6");
    assertEquals(AlignSettings.Objective.RPO, settings.objective);
    assertEquals(AlignSettings.Weights.DISTANCE, settings.weights);
    assertEquals(Weighting.INSIDE, settings.weighting);
    assertEquals(Similarity.BOTH, settings.embedding);
    assertEquals(0.5, settings.tau);
    assertEquals(0.8, settings.lambda);
    assertEquals(6, settings.contrast, "the batch");
  }

  @ParameterizedTest
  @CsvSource({"rpo, GROUP", "dpo, PAIR", "sft, PAIR"})
  void onlyRpoSharesTimestepsUnlessToldOtherwise(String objective, PairBatches.Timestep expected) {
    assertEquals(expected, parse("--objective " + objective).timestep);
    assertEquals(PairBatches.Timestep.PAIR, parse("--timestep pair --objective " + objective).timestep);
    assertEquals(PairBatches.Timestep.GROUP, parse("--timestep group --objective " + objective).timestep);
  }

  @ParameterizedTest
  @MethodSource
  void everyOptionOfTheObjectiveReachesTheLoss(String options, int contrast, PreferenceLoss expected) {
    double loss = loss(parse("--batch " + BATCH + " " + options).loss());
    assertEquals(loss(new ContrastGroups(expected, contrast)), loss);
    assertNotEquals(loss(new DiffusionRpo(64_000, Weighting.INSIDE, DISTANCE)), loss, "the defaults");
  }

  static Stream<Arguments> everyOptionOfTheObjectiveReachesTheLoss() {
    return Stream.of(
        arguments("--beta 3000", BATCH, rpo(3000, Weighting.INSIDE, DISTANCE)),
        arguments("--tau 0.1", BATCH, rpo(Weighting.INSIDE, distance(Similarity.BOTH, 0.1))),
        arguments("--embedding image", BATCH, rpo(Weighting.INSIDE, distance(Similarity.IMAGE, 0.5))),
        arguments("--embedding text", BATCH, rpo(Weighting.INSIDE, distance(Similarity.TEXT, 0.5))),
        arguments("--weighting outside", BATCH, rpo(Weighting.OUTSIDE, DISTANCE)),
        arguments("--weights uniform", BATCH, rpo(Weighting.INSIDE, new ContrastWeights.Uniform())),
        arguments("--weights diagonal", BATCH, rpo(Weighting.INSIDE, new ContrastWeights.Diagonal(0.8))),
        arguments("--weights diagonal --lambda 0.3", BATCH, rpo(Weighting.INSIDE, new ContrastWeights.Diagonal(0.3))),
        arguments("--contrast 2", 2, rpo(Weighting.INSIDE, DISTANCE)),
        arguments("--objective dpo", BATCH, new DiffusionDpo(4000)),
        arguments("--objective dpo --beta 5000", BATCH, new DiffusionDpo(5000)),
        arguments("--objective sft", BATCH, new Sft()));
  }

  @ParameterizedTest
  @CsvSource({"--lora-alpha 4, --lora-alpha 4.0: expected --lora", "--lora-targets all, --lora-targets all: expected --lora",
      "--lora-format kohya, --lora-format kohya: expected --lora", "--window 2, --window 2: expected --stream",
      "--choice-clip ., --choice-clip .: expected --choice-model"})
  void optionsThatMeanNothingAloneAreRefused(String option, String fault) {
    String message = assertThrows(IllegalArgumentException.class, () -> parse(option)).getMessage();
    assertTrue(message.toLowerCase(Locale.ROOT).startsWith(fault), message);
  }

  private static PreferenceLoss rpo(Weighting weighting, ContrastWeights weights) {
    return rpo(64_000, weighting, weights);
  }

  private static PreferenceLoss rpo(double beta, Weighting weighting, ContrastWeights weights) {
    return new DiffusionRpo(beta, weighting, weights);
  }

  private static ContrastWeights distance(Similarity embedding, double tau) {
    return new ContrastWeights.Distance(embedding, tau);
  }

  private static double loss(PreferenceLoss loss) {
    return loss.evaluate(ERRORS, FEATURES).loss();
  }

  private static AlignSettings parse(String options) {
    AlignSettings settings = new AlignSettings();
    new CommandLine(settings).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(options.split(" "));
    return settings.complete();
  }

  /** Vectors of length 1 in these directions. */
  private static double[][] units(double... angles) {
    return Arrays.stream(angles).mapToObj(a -> new double[] {Math.cos(a), Math.sin(a)}).toArray(double[][]::new);
  }
}
