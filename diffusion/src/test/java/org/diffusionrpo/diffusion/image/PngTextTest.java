package org.diffusionrpo.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PngTextTest {
  private static final RgbImage IMAGE = new RgbImage(2, 1, new byte[] {1, 2, 3, 4, 5, 6});

  @Test void textsOfAnotherProgramAreRead() throws IOException {
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("parameters", "a cat\nSteps: 20");
    expected.put("caption", "größer ✓");
    expected.put("long", "xxxxx");
    expected.put("zipped", "✓✓");
    assertEquals(expected, PngText.read(SampleImages.PNG_WITH_TEXT, "pillow.png"));
  }

  @Test void addedTextsAreReadAndPixelsStay() throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("parameters", "a cat, blåbär\nSteps: 20, Seed: 1");
    texts.put("prompt", "猫");
    byte[] png = PngText.add(ImageCodec.encodePng(IMAGE), texts, "ours.png");
    assertEquals(texts, PngText.read(png, "ours.png"));
    assertArrayEquals(IMAGE.rgb(), ImageCodec.decode(png, "ours.png").rgb());
  }

  @Test void aKeywordTheFormatForbidsIsRefused() {
    byte[] png = ImageCodec.encodePng(IMAGE);
    for (String keyword : new String[] {"", "k".repeat(80), "猫", "a\0b"}) {
      assertThrows(IllegalArgumentException.class, () -> PngText.add(png, Map.of(keyword, "text"), "ours.png"));
    }
  }

  @Test void damageIsNamed() throws IOException {
    byte[] png = PngText.add(ImageCodec.encodePng(IMAGE), Map.of("parameters", "a cat"), "ours.png");
    byte[] cut = Arrays.copyOf(png, png.length - 1);
    assertEquals("cut.png: truncated PNG",
        assertThrows(IOException.class, () -> PngText.read(cut, "cut.png")).getMessage());
    assertEquals("a.jpg: not a PNG file",
        assertThrows(IOException.class, () -> PngText.read(SampleImages.GRAY_JPEG, "a.jpg")).getMessage());
  }
}
