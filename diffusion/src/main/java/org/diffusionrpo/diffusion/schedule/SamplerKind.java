package org.diffusionrpo.diffusion.schedule;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The samplers by name. */
public enum SamplerKind {
  DDIM("ddim", "DDIMScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new DdimSampler(config, steps, 0);
    }
  },
  DDPM("ddpm", "DDPMScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new DdpmSampler(config, steps);
    }
  },
  PNDM("pndm", "PNDMScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new PndmSampler(config, steps);
    }
  },
  EULER("euler", "EulerDiscreteScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new EulerSampler(config, steps);
    }
  },
  EULER_ANCESTRAL("euler-ancestral", "EulerAncestralDiscreteScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new EulerAncestralSampler(config, steps);
    }
  },
  DPM_SOLVER("dpm++2m", "DPMSolverMultistepScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new DpmSolverSampler(config, steps);
    }
  },
  DPM_SOLVER_KARRAS("dpm++2m-karras", "DPMSolverMultistepScheduler") {
    @Override public Sampler create(SchedulerConfig config, int steps) {
      return new DpmSolverSampler(config.withKarrasSigmas(true), steps);
    }
  };

  private final String label;
  private final String className;

  SamplerKind(String label, String className) {
    this.label = label;
    this.className = className;
  }

  /** A sampler for one run; keys that the config does not have get this sampler's own defaults. */
  public abstract Sampler create(SchedulerConfig config, int steps);

  /** The name that {@link #named} takes. */
  public String label() {
    return label;
  }

  /** The sampler with the given label. */
  public static SamplerKind named(String label) {
    return Arrays.stream(values()).filter(kind -> kind.label.equals(label)).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("sampler " + label + ": expected one of "
            + Arrays.stream(values()).map(SamplerKind::label).collect(Collectors.joining(", "))));
  }

  /** The sampler that a scheduler_config.json names in {@code _class_name}. */
  public static SamplerKind of(SchedulerConfig config) {
    return Arrays.stream(values()).filter(kind -> kind.className.equals(config.className())).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("scheduler class " + config.className() + ": expected one of "
            + Arrays.stream(values()).map(kind -> kind.className).distinct()
                .collect(Collectors.joining(", "))));
  }
}
