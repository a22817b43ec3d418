package org.diffusionrpo.rpo.train;

import java.util.List;
import org.diffusionrpo.diffusion.image.RgbImage;

/** Judges pictures in the place of people. */
public interface Scorer {
  /** A short name such as {@code clip}. */
  String name();

  /** Changes when scores do: checksum of the weights. */
  String checksum();

  /**
   * How well each picture answers to its caption; higher is better.
   *
   * @param captions one for each picture
   */
  double[] score(List<RgbImage> pictures, List<String> captions);
}
