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
   * What it looks at of a picture. Many of these wait in memory, so it should be small however large the picture is. A
   * pure function, for any thread.
   */
  RgbImage prepare(RgbImage picture);

  /**
   * How well each picture answers to its caption; higher is better.
   *
   * @param prepared each made by {@link #prepare}
   * @param captions one for each picture
   */
  double[] score(List<RgbImage> prepared, List<String> captions);
}
