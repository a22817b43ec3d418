package org.diffusionrpo.diffusion.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Pictures from and to files: decodes what ImageIO and its plug-ins know (PNG, JPEG, WebP, GIF, BMP, TIFF), encodes
 * PNG. Transparency is composited on white. EXIF orientation is not applied, as in the usual training scripts.
 */
public final class ImageCodec {
  /** A header that promises more is taken for damage rather than answered with an out-of-memory error. */
  private static final long MAX_PIXELS = 1 << 26;

  private ImageCodec() {}

  /** Decodes a file; an {@link IOException} names the file and the fault. */
  public static RgbImage read(Path file) throws IOException {
    return decode(Files.readAllBytes(file), file.toString());
  }

  /**
   * Decodes a picture held in memory.
   *
   * @param name what error messages call the picture
   */
  public static RgbImage decode(byte[] bytes, String name) throws IOException {
    Truncation.check(bytes, name);
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new IOException(name + ": not an image in a known format (PNG, JPEG, WebP, GIF, BMP, TIFF)");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MAX_PIXELS) {
          throw new IOException("it claims " + pixels + " pixels, more than " + MAX_PIXELS);
        }
        return onWhite(reader.read(0));
      } catch (IOException | RuntimeException e) { // readers answer damaged data with any unchecked exception
        throw new IOException(name + ": cannot decode the image: " + e.getMessage(), e);
      } finally {
        reader.dispose();
      }
    }
  }

  /** PNG bytes of colour type RGB, 8 bits per channel, without metadata; see {@link PngText} to add some. */
  public static byte[] encodePng(RgbImage image) {
    return PngEncoder.encode(image);
  }

  /** Copies a Java picture of any type, with its transparency composited on white. */
  public static RgbImage onWhite(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    byte[] rgb = new byte[3 * width * height];
    int[] argb = new int[width];
    for (int y = 0, at = 0; y < height; y++) {
      readRow(argb, image, y);
      for (int pixel : argb) {
        int alpha = pixel >>> 24;
        for (int shift = 16; shift >= 0; shift -= 8) {
          int value = pixel >> shift & 0xff;
          rgb[at++] = (byte) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** One row as non-premultiplied ARGB. Gray is copied: getRGB would take it for linear light and brighten it. */
  private static void readRow(int[] argb, BufferedImage image, int y) {
    boolean gray = image.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY
        && !(image.getColorModel() instanceof IndexColorModel);
    if (!gray) {
      image.getRGB(0, y, argb.length, 1, argb, 0, argb.length);
      return;
    }
    Raster raster = image.getRaster();
    int shift = Math.max(0, image.getColorModel().getComponentSize(0) - 8);
    for (int x = 0; x < argb.length; x++) {
      int value = raster.getSample(x, y, 0) >> shift;
      int alpha = raster.getNumBands() > 1 ? raster.getSample(x, y, 1) >> shift : 255;
      argb[x] = alpha << 24 | value * 0x010101;
    }
  }
}
