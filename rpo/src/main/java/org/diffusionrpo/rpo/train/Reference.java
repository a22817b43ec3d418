package org.diffusionrpo.rpo.train;

import java.util.function.Function;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;

/** The network that a preference is measured against: the policy as it was before training. */
public interface Reference {
  /** Runs {@code use} with the reference network, which must not be kept. */
  <T> T with(Function<UNet2DConditionModel, T> use);

  /** A copy of the start that nobody trains. */
  static Reference copy(UNet2DConditionModel frozen) {
    return new Reference() {
      @Override
      public <T> T with(Function<UNet2DConditionModel, T> use) {
        return use.apply(frozen);
      }
    };
  }

  /** The policy itself with its adapters switched off: no second network in memory. */
  static Reference adaptersOff(UNet2DConditionModel policy, LoraAdapters adapters) {
    return new Reference() {
      @Override
      public <T> T with(Function<UNet2DConditionModel, T> use) {
        adapters.setEnabled(false);
        try {
          return use.apply(policy);
        } finally {
          adapters.setEnabled(true);
        }
      }
    };
  }
}
