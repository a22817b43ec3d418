package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;

/** Small pictures and a way to read them as pairs. */
final class TestPairs {
  static final byte[] RED = picture(255, 0, 0);
  static final byte[] BLUE = picture(0, 0, 255);

  private TestPairs() {}

  private static byte[] picture(int red, int green, int blue) {
    byte[] rgb = new byte[3 * 3 * 5];
    for (int i = 0; i < rgb.length; i += 3) {
      rgb[i] = (byte) red;
      rgb[i + 1] = (byte) green;
      rgb[i + 2] = (byte) blue;
    }
    return ImageCodec.encodePng(new RgbImage(3, 5, rgb));
  }

  static List<PreferencePair> read(Path path, LoadReport report) throws IOException {
    List<PreferencePair> pairs = new ArrayList<>();
    PairSource.open(path).read(pairs::add, report);
    return pairs;
  }
}
