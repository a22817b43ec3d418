package org.diffusionrpo.diffusion.clip;

import java.util.Arrays;

/**
 * A prompt as the text encoder takes it.
 *
 * @param ids BOS, content, EOS, padding; as long as the encoder's context
 * @param length how many ids there are without padding
 * @param truncated whether content was cut off at the end
 */
public record TokenIds(int[] ids, int length, boolean truncated) {
  /** BOS, content and EOS without padding. */
  public int[] unpadded() {
    return Arrays.copyOf(ids, length);
  }
}
