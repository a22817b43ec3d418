package org.diffusionrpo.bench.emoji;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmojiRendererTest {
  private static final int SIZE = EmojiRenderer.SIZE;

  @TempDir Path folder;

  private RgbImage svg(String shapes) throws IOException {
    Path file = folder.resolve("drawing.svg");
    Files.writeString(file, "<svg viewBox=\"0 0 72 72\" xmlns=\"http://www.w3.org/2000/svg\">" + shapes + "</svg>");
    return EmojiRenderer.render(file);
  }

  private static int gray(RgbImage image, int x, int y) {
    return image.rgb()[3 * (y * image.width() + x)] & 0xff;
  }

  @Test void theEmptyBorderIsCutAway() throws IOException {
    RgbImage image = svg("<rect x=\"6\" y=\"6\" width=\"60\" height=\"60\" fill=\"#000\"/>");
    assertEquals(SIZE, image.width());
    assertEquals(0, gray(image, 1, 1)); // the border is measured in whole pixels, so the outermost ones may be grey
    assertEquals(0, gray(image, SIZE - 2, SIZE - 2));
  }

  @Test void aDrawingThatUsesTheBorderKeepsIt() throws IOException {
    RgbImage image = svg("<rect x=\"0\" y=\"27\" width=\"72\" height=\"18\" fill=\"#000\"/>");
    assertEquals(255, gray(image, 32, 23));
    assertEquals(0, gray(image, 0, 24));
    assertEquals(0, gray(image, SIZE - 1, 39));
    assertEquals(255, gray(image, 32, 40));
  }

  @Test void aRectangleWithoutWidthIsInvisible() throws IOException {
    String dot = "<circle cx=\"36\" cy=\"36\" r=\"9\" fill=\"#000\"/>";
    byte[] expected = svg(dot).rgb();
    String rect = "<rect x=\"8\" y=\"8\" height=\"3\" fill=\"none\" stroke=\"#000\" stroke-width=\"2\"/>";
    assertArrayEquals(expected, svg(dot + rect).rgb());
  }

  @Test void aTallPictureIsCentredOnWhite() throws IOException {
    byte[] rgb = new byte[3 * SIZE / 2 * SIZE];
    Arrays.fill(rgb, (byte) 40);
    Path file = folder.resolve("tall.png");
    Files.write(file, ImageCodec.encodePng(new RgbImage(SIZE / 2, SIZE, rgb)));
    RgbImage image = EmojiRenderer.render(file);
    assertEquals(255, gray(image, SIZE / 4 - 1, 5));
    assertEquals(40, gray(image, SIZE / 4, 5));
    assertEquals(40, gray(image, SIZE * 3 / 4 - 1, 5));
    assertEquals(255, gray(image, SIZE * 3 / 4, 5));
  }

  @Test void aBrokenSvgIsNamed() {
    IOException error = assertThrows(IOException.class, () -> svg("<rect"));
    assertTrue(error.getMessage().startsWith(folder.resolve("drawing.svg") + ": cannot draw the SVG"),
        error.getMessage());
  }
}
