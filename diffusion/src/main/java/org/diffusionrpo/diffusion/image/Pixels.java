package org.diffusionrpo.diffusion.image;

import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Between 8-bit pictures and tensors in [-1, 1], as the VAE sees them. */
public final class Pixels {
  private Pixels() {}

  /** Pictures of equal size as one tensor [N, H, W, 3]: v / 127.5 - 1. */
  public static Tensor toTensor(Backend backend, List<RgbImage> images) {
    RgbImage first = images.get(0);
    int size = first.rgb().length;
    float[] values = new float[images.size() * size];
    for (int n = 0; n < images.size(); n++) {
      RgbImage image = images.get(n);
      if (image.width() != first.width() || image.height() != first.height()) {
        throw new IllegalArgumentException("pictures of a batch must have one size; got " + first.width() + " x "
            + first.height() + " and " + image.width() + " x " + image.height());
      }
      for (int i = 0; i < size; i++) {
        values[n * size + i] = (image.rgb()[i] & 0xFF) / 127.5f - 1f;
      }
    }
    return backend.of(Shape.of(images.size(), first.height(), first.width(), 3), values);
  }

  /** Clips (v + 1) / 2 to [0, 1] and rounds to 8 bits, as diffusers does. */
  public static List<RgbImage> toImages(Tensor pixels) {
    int height = pixels.dim(1);
    int width = pixels.dim(2);
    int size = height * width * 3;
    float[] values = pixels.toArray();
    RgbImage[] images = new RgbImage[pixels.dim(0)];
    for (int n = 0; n < images.length; n++) {
      byte[] rgb = new byte[size];
      for (int i = 0; i < size; i++) {
        float unit = Math.max(0f, Math.min(1f, values[n * size + i] / 2f + 0.5f));
        rgb[i] = (byte) Math.rint(unit * 255f);
      }
      images[n] = new RgbImage(width, height, rgb);
    }
    return List.of(images);
  }

  /** Moved by (dx, dy) pixels; what comes in from outside is white. */
  public static RgbImage shift(RgbImage image, int dx, int dy) {
    byte[] rgb = new byte[image.rgb().length];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        int fromY = y - dy;
        int fromX = x - dx;
        boolean inside = fromY >= 0 && fromY < image.height() && fromX >= 0 && fromX < image.width();
        for (int c = 0; c < 3; c++) {
          rgb[(y * image.width() + x) * 3 + c] =
              inside ? image.rgb()[(fromY * image.width() + fromX) * 3 + c] : (byte) 255;
        }
      }
    }
    return new RgbImage(image.width(), image.height(), rgb);
  }
}
