package org.diffusionrpo.bench.emoji;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.batik.transcoder.TranscoderException;
import org.apache.batik.transcoder.TranscoderInput;
import org.apache.batik.transcoder.TranscoderOutput;
import org.apache.batik.transcoder.image.ImageTranscoder;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;

/**
 * Draws OpenMoji's SVG files with Batik. Their canvas is 72 units wide with a border of about 6 units that most
 * drawings leave empty; the border is cut away as far as nothing is lost, so that the drawing fills its picture
 * about as well as those of the other styles.
 */
final class OpenMojiSvg {
  private static final float CANVAS = 72;
  private static final float BORDER = 6;
  /** Four times the final size: averaging gives thin lines sixteen times the grey levels of the rasteriser. */
  private static final int PIXELS = 4 * EmojiRenderer.SIZE;
  /** Darkest value that still counts as background when the border is measured. */
  private static final int BACKGROUND = 250;
  /** SVG 2 gives a rectangle without a width the width 0, so it is invisible; Batik knows SVG 1.1 and refuses it. */
  private static final String RECT_WITHOUT_WIDTH = "<rect(?![^>]*\\swidth=)[^>]*/>";

  private OpenMojiSvg() {}

  static RgbImage draw(Path file) throws IOException {
    String svg = Files.readString(file).replaceAll(RECT_WITHOUT_WIDTH, "");
    try {
      float unused = margin(draw(svg, 0)) * CANVAS / PIXELS;
      return draw(svg, Math.min(BORDER, unused));
    } catch (TranscoderException e) {
      throw new IOException(file + ": cannot draw the SVG: " + e.getMessage(), e);
    }
  }

  private static RgbImage draw(String svg, float border) throws TranscoderException {
    PictureTranscoder transcoder = new PictureTranscoder();
    float window = CANVAS - 2 * border;
    transcoder.addTranscodingHint(ImageTranscoder.KEY_WIDTH, (float) PIXELS);
    transcoder.addTranscodingHint(ImageTranscoder.KEY_HEIGHT, (float) PIXELS);
    transcoder.addTranscodingHint(ImageTranscoder.KEY_AOI, new Rectangle2D.Float(border, border, window, window));
    transcoder.transcode(new TranscoderInput(new StringReader(svg)), null);
    return ImageCodec.onWhite(transcoder.picture);
  }

  /** The width in pixels of the empty border. */
  private static int margin(RgbImage image) {
    int margin = PIXELS / 2;
    for (int i = 0; i < image.rgb().length; i++) {
      if ((image.rgb()[i] & 0xff) < BACKGROUND) {
        int x = i / 3 % PIXELS;
        int y = i / 3 / PIXELS;
        margin = Math.min(margin, Math.min(Math.min(x, PIXELS - 1 - x), Math.min(y, PIXELS - 1 - y)));
      }
    }
    return margin;
  }

  /** Keeps the picture in memory instead of writing a file. */
  private static final class PictureTranscoder extends ImageTranscoder {
    private BufferedImage picture;

    @Override public BufferedImage createImage(int width, int height) {
      return new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
    }

    @Override public void writeImage(BufferedImage image, TranscoderOutput output) {
      picture = image;
    }
  }
}
