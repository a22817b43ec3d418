package org.diffusionrpo.rpo.align;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.diffusionrpo.diffusion.lora.LoraConfig;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.loss.ContrastGroups;
import org.diffusionrpo.rpo.loss.ContrastWeights;
import org.diffusionrpo.rpo.loss.DiffusionDpo;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.rpo.loss.Sft;
import org.diffusionrpo.rpo.loss.Similarity;
import org.diffusionrpo.rpo.train.PairBatches;
import org.diffusionrpo.rpo.train.View;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.optim.LearningRate;
import picocli.CommandLine.Option;

/**
 * Everything that an alignment run depends on. One list for the command line, the YAML file, run.json and library use:
 * set the fields, then hand the object to {@link AlignRun}. A field that is left null takes the default of the
 * objective.
 */
public final class AlignSettings extends NamedModelSettings {
  /** What is minimised. */
  public enum Objective {
    RPO("Diffusion-RPO"), DPO("Diffusion-DPO"), SFT("SFT");

    private final String title;

    Objective(String title) {
      this.title = title;
    }

    /** The name in the literature. */
    public String title() {
      return title;
    }
  }

  /** Where the contrast weights of Diffusion-RPO come from. */
  public enum Weights { DISTANCE, DIAGONAL, UNIFORM }

  /** What judges pictures in the place of people. */
  public enum ChoiceModel { CLIP }

  /** What updates the weights. */
  public enum OptimizerKind { ADAMW, ADAFACTOR }

  /** Types of the numbers in the aligned model's files. */
  public enum SaveDtype {
    F32(DType.F32), F16(DType.F16), BF16(DType.BF16);

    private final DType dtype;

    SaveDtype(DType dtype) {
      this.dtype = dtype;
    }

    /** The same among the types of tensors in files. */
    public DType dtype() {
      return dtype;
    }
  }

  @Option(names = "--data", paramLabel = "PATH", description = "Preference pairs: Pick-a-Pic Parquet (file or folder of "
      + "shards), .jsonl, .csv, or a folder with winners/ and losers/ (default: the bundled styles).")
  public Path data;

  @Option(names = "--style", paramLabel = "NAME", description = "Preferred style of the bundled data: fluent, google, "
      + "openmoji, sketch or twitter (default: ${DEFAULT-VALUE}).")
  public String style = "sketch";

  @Option(names = "--objective", description = "rpo, dpo or sft (default: rpo).")
  public Objective objective = Objective.RPO;

  @Option(names = "--steps", description = "Updates of the whole run (default: ${DEFAULT-VALUE}).")
  public int steps = 150;

  @Option(names = "--batch", description = "Pairs per update (default: ${DEFAULT-VALUE}).")
  public int batch = 16;

  @Option(names = "--contrast", description = "Pairs that contrast with each other within an update (default: the "
      + "batch).")
  public Integer contrast;

  @Option(names = "--micro-batch", description = "Pairs in memory at a time; changes memory, not the result (default: "
      + "the batch).")
  public Integer microBatch;

  @Option(names = "--clip", paramLabel = "DIR", description = "CLIP for the contrast weights and the scores (default: "
      + "clip/ in the model folder).")
  public Path clip;

  @Option(names = "--lora", paramLabel = "RANK", description = "Train low-rank adapters of this rank on the frozen model "
      + "instead of all weights (default: all weights).")
  public Integer lora;

  @Option(names = "--lora-alpha", paramLabel = "ALPHA", description = "The adapters act with the factor alpha / rank "
      + "(default: the rank).")
  public Double loraAlpha;

  @Option(names = "--lora-targets", paramLabel = "NAMES", description = "Layers with adapters: attn (to_q, to_k, to_v, "
      + "to_out.0), attn-mlp (with ff.net.0.proj, ff.net.2), all, or names with commas (default: attn).")
  public String loraTargets;

  @Option(names = "--lora-format", paramLabel = "NAME", description = "Names in lora/: peft, diffusers or kohya (default: "
      + "peft).")
  public LoraFormat loraFormat;

  @Option(names = "--lr", description = "Learning rate (default: by objective).")
  public Double lr;

  @Option(names = "--lr-schedule", paramLabel = "NAME", description = "constant, linear or cosine (default: constant).")
  public LearningRate.Schedule lrSchedule = LearningRate.Schedule.CONSTANT;

  @Option(names = "--warmup", description = "Updates of linear warm-up (default: ${DEFAULT-VALUE}).")
  public int warmup = 10;

  @Option(names = "--optimizer", description = "adamw or adafactor (default: adamw).")
  public OptimizerKind optimizer = OptimizerKind.ADAMW;

  @Option(names = "--weight-decay", description = "Decoupled weight decay (default: ${DEFAULT-VALUE}).")
  public double weightDecay = 0.01;

  @Option(names = "--max-grad-norm", description = "Gradients are scaled down to this L2 norm (default: "
      + "${DEFAULT-VALUE}).")
  public double maxGradNorm = 1;

  @Option(names = "--ema", paramLabel = "DECAY", description = "Average the weights with this decay and save the "
      + "average (default: off).")
  public Double ema;

  @Option(names = "--beta", description = "Strength of the tie to the base model (default: by objective).")
  public Double beta;

  @Option(names = "--tau", description = "Temperature of the contrast weights (default: ${DEFAULT-VALUE}).")
  public double tau = 0.5;

  @Option(names = "--weights", description = "Contrast weights of rpo: distance, diagonal or uniform (default: "
      + "distance).")
  public Weights weights = Weights.DISTANCE;

  @Option(names = "--lambda", description = "Weight of a winner's own loser with --weights diagonal (default: "
      + "${DEFAULT-VALUE}).")
  public double lambda = 0.8;

  @Option(names = "--weighting", description = "Weights multiply the logits inside the log-sigmoid or the terms outside "
      + "it (default: inside).")
  public DiffusionRpo.Weighting weighting = DiffusionRpo.Weighting.INSIDE;

  @Option(names = "--embedding", description = "CLIP embedding behind the distances: image, text or both (default: "
      + "both).")
  public Similarity embedding = Similarity.BOTH;

  @Option(names = "--timestep", description = "One timestep for each contrast group or for each pair (default: group for "
      + "rpo, else pair).")
  public PairBatches.Timestep timestep;

  @Option(names = "--caption-dropout", paramLabel = "SHARE", description = "Share of pairs that see the empty prompt "
      + "(default: ${DEFAULT-VALUE}).")
  public double captionDropout = 0.2;

  @Option(names = "--losers", description = "Pairs per concept of the bundled data, each with another losing style "
      + "(default: ${DEFAULT-VALUE}).")
  public int losers = 4;

  @Option(names = "--limit", paramLabel = "PAIRS", description = "Use at most so many pairs of --data (default: all).")
  public Integer limit;

  @Option(names = "--cache", paramLabel = "DIR", description = "Keep encodings on disk in float16 and read them from "
      + "there; drpo encode fills it ahead (default: in memory, in float32).")
  public Path cache;

  @Option(names = "--stream", description = "Read and encode pairs whenever an update wants them: neither memory nor a "
      + "cache is needed, every update takes longer.")
  public boolean stream;

  @Option(names = "--window", paramLabel = "GROUPS", description = "Row groups whose pairs mix with --stream; two windows "
      + "must fit into half of the memory (default: 4).")
  public Integer window;

  @Option(names = "--flip", description = "Mirror half of the pairs, others in each epoch; winner and loser alike.")
  public boolean flip;

  @Option(names = "--crop", description = "center, or random with --stream; winner and loser alike (default: center).")
  public View.Crop crop = View.Crop.CENTER;

  @Option(names = "--choice-model", paramLabel = "NAME", description = "AI feedback: the picture with the higher score wins "
      + "whatever the label says: clip (default: labels).")
  public ChoiceModel choiceModel;

  @Option(names = "--choice-clip", paramLabel = "DIR", description = "CLIP of --choice-model (default: as --clip).")
  public Path choiceClip;

  @Option(names = "--gradient-checkpointing", description = "Recompute activations in backward: less memory, more time.")
  public boolean gradientCheckpointing;

  @Option(names = "--checkpoint-every", paramLabel = "STEPS", description = "Updates between checkpoints (default: "
      + "${DEFAULT-VALUE}).")
  public int checkpointEvery = 50;

  @Option(names = "--samples", description = "Prompts in samples.png, drawn before and after (default: "
      + "${DEFAULT-VALUE}).")
  public int samples = 8;

  @Option(names = "--evaluate", paramLabel = "IMAGES", description = "Images per model for the style-alignment table; 0 "
      + "for none (default: ${DEFAULT-VALUE}).")
  public int evaluate = 100;

  @Option(names = "--sample-steps", description = "Sampler steps of the images (default: ${DEFAULT-VALUE}).")
  public int sampleSteps = 20;

  @Option(names = "--guidance", description = "Classifier-free guidance of the images (default: ${DEFAULT-VALUE}).")
  public double guidance = 3;

  @Option(names = "--seed", description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
  public long seed = 1;

  @Option(names = "--backend", description = "auto (a GPU if there is one), cpu, cuda or cuda:N (default: "
      + "${DEFAULT-VALUE}).")
  public String backend = "auto";

  @Option(names = "--precision", paramLabel = "FORMAT", description = "Of matrix products, convolutions and attention on "
      + "a GPU: fp32, tf32, bf16 or fp16 (default: ${DEFAULT-VALUE}).")
  public String precision = "fp32";

  @Option(names = "--out", paramLabel = "DIR", description = "Run folder (default: runs/OBJECTIVE-STYLE-seedN).")
  public Path out;

  @Option(names = "--save-dtype", paramLabel = "TYPE", description = "Numbers of the saved UNet: f32, f16 or bf16; "
      + "the other parts keep theirs (default: f16).")
  public SaveDtype saveDtype = SaveDtype.F16;

  @Option(names = "--resume", description = "Continue the run in --out, or start it.")
  public boolean resume;

  /** Settings with the same values. */
  public AlignSettings copy() {
    AlignSettings copy = new AlignSettings();
    for (Field field : AlignSettings.class.getFields()) {
      try {
        field.set(copy, field.get(this));
      } catch (IllegalAccessException e) {
        throw new AssertionError("settings are public fields", e);
      }
    }
    return copy;
  }

  /** Fills what was left open, checks every value, and returns this. */
  public AlignSettings complete() {
    checkPartners();
    contrast = contrast == null ? Integer.valueOf(batch) : contrast;
    microBatch = microBatch == null ? Integer.valueOf(batch) : microBatch;
    ObjectiveDefaults defaults = ObjectiveDefaults.of(objective);
    lr = lr == null ? Double.valueOf(lora == null ? defaults.lr() : defaults.loraLr()) : lr;
    beta = beta == null ? Double.valueOf(defaults.beta()) : beta;
    if (lora != null) {
      loraAlpha = loraAlpha == null ? Double.valueOf(lora) : loraAlpha;
      loraTargets = loraTargets == null ? "attn" : loraTargets;
      loraFormat = loraFormat == null ? LoraFormat.PEFT : loraFormat;
    }
    if (stream) {
      window = window == null ? Integer.valueOf(4) : window;
    }
    if (timestep == null) {
      timestep = objective == Objective.RPO ? PairBatches.Timestep.GROUP : PairBatches.Timestep.PAIR;
    }
    if (out == null) {
      String source = data == null ? style : "custom";
      out = Path.of("runs", objective.name().toLowerCase(Locale.ROOT) + "-" + source + "-seed" + seed);
    }
    check();
    return this;
  }

  /** The loss that these settings describe, contrast groups included. */
  public PreferenceLoss loss() {
    PreferenceLoss loss = switch (objective) {
      case SFT -> new Sft();
      case DPO -> new DiffusionDpo(beta);
      case RPO -> new DiffusionRpo(beta, weighting, contrastWeights());
    };
    return new ContrastGroups(loss, contrast);
  }

  /** True when the loss reads CLIP embeddings. */
  public boolean needsEmbeddings() {
    return objective == Objective.RPO && weights == Weights.DISTANCE;
  }

  /** True when the pictures of the run are scored, which needs styles that are known. */
  boolean measures() {
    return evaluate > 0 && data == null;
  }

  /** Which layers get adapters; only for runs with {@link #lora}. */
  LoraConfig loraConfig() {
    return LoraConfig.of(lora, loraAlpha, loraTargets);
  }

  LearningRate learningRate() {
    return new LearningRate(lrSchedule, lr, warmup, steps);
  }

  private ContrastWeights contrastWeights() {
    return switch (weights) {
      case DISTANCE -> new ContrastWeights.Distance(embedding, tau);
      case DIAGONAL -> new ContrastWeights.Diagonal(lambda);
      case UNIFORM -> new ContrastWeights.Uniform();
    };
  }

  /** Options that mean something only beside another one: alone they would be a mistake without a word. */
  private void checkPartners() {
    String rank = "--lora with a rank beside it";
    require(loraAlpha == null || lora != null, "--lora-alpha", loraAlpha, rank);
    require(loraTargets == null || lora != null, "--lora-targets", loraTargets, rank);
    require(loraFormat == null || lora != null, "--lora-format", loraFormat, rank);
    require(window == null || stream, "--window", window, "--stream beside it");
    require(choiceClip == null || choiceModel != null, "--choice-clip", choiceClip, "--choice-model beside it");
  }

  private void check() {
    require(steps >= 1, "--steps", steps, "at least 1");
    require(batch >= 1, "--batch", batch, "at least 1");
    require(contrast >= 1 && contrast <= batch, "--contrast", contrast, "from 1 to the batch of " + batch);
    require(microBatch >= 1, "--micro-batch", microBatch, "at least 1");
    require(lr >= 0 && Double.isFinite(lr), "--lr", lr, "0 or more");
    require(lora == null || lora >= 1, "--lora", lora, "a rank of at least 1");
    require(loraAlpha == null || loraAlpha > 0 && Double.isFinite(loraAlpha), "--lora-alpha", loraAlpha, "above 0");
    require(warmup >= 0, "--warmup", warmup, "0 or more");
    require(weightDecay >= 0 && Double.isFinite(weightDecay), "--weight-decay", weightDecay, "0 or more");
    require(maxGradNorm > 0, "--max-grad-norm", maxGradNorm, "above 0");
    require(ema == null || ema >= 0 && ema < 1, "--ema", ema, "from 0 to below 1");
    require(beta > 0 && Double.isFinite(beta), "--beta", beta, "above 0");
    require(tau > 0 && Double.isFinite(tau), "--tau", tau, "above 0");
    require(lambda >= 0 && lambda <= 1, "--lambda", lambda, "from 0 to 1");
    require(captionDropout >= 0 && captionDropout <= 1, "--caption-dropout", captionDropout, "from 0 to 1");
    require(losers >= 1, "--losers", losers, "at least 1");
    require(limit == null || limit >= 1, "--limit", limit, "at least 1");
    require(checkpointEvery >= 1, "--checkpoint-every", checkpointEvery, "at least 1");
    require(samples >= 0, "--samples", samples, "0 or more");
    require(evaluate == 0 || evaluate >= StyleAlignment.FEWEST_IMAGES, "--evaluate", evaluate,
        "0 or at least " + StyleAlignment.FEWEST_IMAGES);
    require(sampleSteps >= 1, "--sample-steps", sampleSteps, "at least 1");
    require(guidance >= 0 && Double.isFinite(guidance), "--guidance", guidance, "0 or more");
    require(cache == null || !stream, "--stream", "with --cache", "one of the two");
    require(cache == null || !Files.isRegularFile(cache), "--cache", cache, "a folder");
    require(window == null || window >= 1, "--window", window, "at least 1");
    require(crop == View.Crop.CENTER || stream, "--crop", "random", "--stream with it; else pictures are encoded once");
    require(choiceClip == null || Files.isDirectory(choiceClip), "--choice-clip", choiceClip, "an existing folder");
    require(data == null || Files.exists(data), "--data", data, "an existing file or folder");
    require(clip == null || Files.isDirectory(clip), "--clip", clip, "an existing folder");
  }

  private static void require(boolean ok, String option, Object value, String expected) {
    if (!ok) {
      throw new IllegalArgumentException(option + " " + value + ": expected " + expected);
    }
  }
}
