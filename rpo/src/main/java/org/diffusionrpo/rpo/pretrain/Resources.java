package org.diffusionrpo.rpo.pretrain;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.rpo.data.StyledImage;

/** The configs of the bundled model and its training images. */
final class Resources {
  private Resources() {}

  static ModelConfig config(String name) throws IOException {
    try (InputStream in = Resources.class.getResourceAsStream(name)) {
      return ModelConfig.parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  static List<RgbImage> decode(List<StyledImage> styled) throws IOException {
    List<RgbImage> images = new ArrayList<>();
    for (StyledImage image : styled) {
      images.add(ImageCodec.decode(image.png(), image.concept() + "/" + image.style()));
    }
    return images;
  }
}
