package org.diffusionrpo.rpo.cli;

import java.util.List;
import java.util.Locale;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.pipeline.PictureOrigin;
import picocli.CommandLine.Option;

/** SDXL's micro-conditioning: what it shall take the drawn pictures for. */
final class OriginOptions {
  @Option(names = "--original-size", split = ",", paramLabel = "PIXELS",
      description = "SDXL only: draw as if cut out of an original of this width and height, e.g. 512,512 "
          + "(default: the picture's own size).")
  private List<Integer> originalSize;

  @Option(names = "--crop", split = ",", paramLabel = "PIXELS",
      description = "SDXL only: draw as if cropped at this left and upper side (default: 0,0).")
  private List<Integer> crop;

  PictureOrigin origin() {
    List<Integer> size = two("--original-size", originalSize);
    List<Integer> corner = two("--crop", crop);
    return new PictureOrigin(size.get(0), size.get(1), corner.get(0), corner.get(1));
  }

  /** What a picture's settings say of it: nothing for the truth. */
  String describe(RgbImage picture) {
    PictureOrigin told = origin();
    return told.equals(PictureOrigin.SELF) ? "" : String.format(Locale.ROOT, ", Original size: %dx%d, Crop: %d,%d",
        told.width() == 0 ? picture.width() : told.width(), told.height() == 0 ? picture.height() : told.height(),
        told.cropLeft(), told.cropTop());
  }

  private static List<Integer> two(String option, List<Integer> given) {
    if (given != null && given.size() != 2) {
      throw new IllegalArgumentException(option + " " + given + ": expected two numbers, for example 512,512");
    }
    return given == null ? List.of(0, 0) : given;
  }
}
