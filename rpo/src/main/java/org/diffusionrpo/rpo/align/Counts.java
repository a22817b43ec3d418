package org.diffusionrpo.rpo.align;

import java.util.Map;
import org.diffusionrpo.tensor.counting.Work;

/**
 * What a {@link DryRun} found; all sizes in bytes.
 *
 * @param settings complete settings of the run
 * @param parts of the tensors at the peak of an update; absent or 0 for what the run does not have
 * @param loads of the phases that the run has
 * @param host encoded pairs and pictures outside of tensors
 * @param scratch of kernels
 * @param copies of one weight while checkpoints are written
 * @param unetParameters numbers in the UNet
 */
public record Counts(AlignSettings settings, Map<Part, Long> parts, Map<Phase, Load> loads, long host, long scratch,
    long copies, long unetParameters) {
  /** What tensors are for. */
  public enum Part {
    UNET, REFERENCE, ADAPTERS, GRADIENTS, OPTIMIZER, AVERAGE, VAE, TEXT_ENCODERS, CLIP, ACTIVATIONS
  }

  /** Parts of a run one after the other. */
  public enum Phase { ENCODING, TRAINING, DRAWING }

  /**
   * A phase: so much is in use by tensors at its peak, and so much is to be done so many times.
   *
   * @param held by all arrays of tensors at its end: those in use and those in the pool, which is emptied after it
   * @param times need not be whole
   */
  public record Load(long peak, long held, Work work, double times) {}

  /** Bytes of a part; 0 if the run does not have it. */
  public long part(Part part) {
    return parts.getOrDefault(part, 0L);
  }

  /** The most that tensors take at once. */
  public long peak() {
    return loads.values().stream().mapToLong(Load::peak).max().orElse(0);
  }

  /** Java's heap must have room for this. */
  public long needed() {
    return peak() + host + scratch + copies;
  }

  /** What the heap fills with if there is room: the pool gives nothing back before a phase ends. */
  public long comfortable() {
    return held() + host + scratch + copies;
  }

  /** The most that arrays of tensors take at once, in use or kept for the next request. */
  public long held() {
    return loads.values().stream().mapToLong(Load::held).max().orElse(0);
  }
}
