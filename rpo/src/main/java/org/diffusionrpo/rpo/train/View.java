package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.tensor.Philox;

/**
 * How both pictures of a pair are shown in one epoch.
 *
 * @param flip mirrored left and right
 * @param left where the square is cut out, as a share of what is left over in width; {@link #CENTER} for the middle
 * @param top likewise of the height
 */
public record View(boolean flip, double left, double top) {
  /** Of a crop. */
  static final double CENTER = -1;
  /** The picture as it is. */
  public static final View PLAIN = new View(false, CENTER, CENTER);

  /** Where the square is cut out of a picture. */
  public enum Crop { CENTER, RANDOM }

  /** A function of its arguments alone. */
  static View of(boolean flips, Crop crop, long seed, long epoch, int item, int items) {
    if (!flips && crop == Crop.CENTER) {
      return PLAIN;
    }
    Philox random = Philox.stream(seed, "view", epoch * items + item);
    boolean flip = random.nextInt(2) == 1 && flips;
    return crop == Crop.CENTER ? new View(flip, CENTER, CENTER)
        : new View(flip, random.nextDouble(), random.nextDouble());
  }

  View withoutFlip() {
    return flip ? new View(false, left, top) : this;
  }

  /** Where a part begins, in pixels; {@code size} is at least {@code part}. */
  static int offset(double share, int size, int part) {
    return share == CENTER ? Crops.centerOffset(size, part) : (int) (share * (size - part + 1));
  }
}
