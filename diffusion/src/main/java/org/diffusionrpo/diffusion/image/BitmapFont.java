package org.diffusionrpo.diffusion.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A fixed-width font of 5 x 8 pixels for ASCII, drawn in {@code glyphs.txt}: labels look the same on each machine, with
 * or without installed fonts. A character outside ASCII shows as an empty box.
 */
final class BitmapFont {
  /** Pixels from one character to the next, and from one line to the next, at scale 1. */
  static final int ADVANCE = 6;
  static final int LINE = 10;
  private static final int HEIGHT = 8;
  private static final int FIRST = ' ';
  private static final int BOX = 127;
  private static final int PER_BAND = 16;
  private static final List<String> GLYPHS = load();

  private BitmapFont() {}

  /** Draws one line of text in black, each font pixel {@code scale} pixels wide; what leaves the picture is cut off. */
  static void draw(byte[] rgb, int width, int height, String text, int left, int top, int scale) {
    for (int i = 0; i < text.length(); i++) {
      int glyph = text.charAt(i) < FIRST || text.charAt(i) > BOX ? BOX - FIRST : text.charAt(i) - FIRST;
      int column = glyph % PER_BAND * ADVANCE;
      for (int p = 0; p < HEIGHT * (ADVANCE - 1); p++) {
        int dx = p % (ADVANCE - 1);
        int dy = p / (ADVANCE - 1);
        if (GLYPHS.get(glyph / PER_BAND * HEIGHT + dy).charAt(column + dx) == '#') {
          dot(rgb, width, height, left + (i * ADVANCE + dx) * scale, top + dy * scale, scale);
        }
      }
    }
  }

  private static void dot(byte[] rgb, int width, int height, int left, int top, int size) {
    for (int y = Math.max(0, top); y < Math.min(height, top + size); y++) {
      for (int x = Math.max(0, left); x < Math.min(width, left + size); x++) {
        for (int c = 0; c < 3; c++) {
          rgb[3 * (y * width + x) + c] = 0;
        }
      }
    }
  }

  private static List<String> load() {
    try (InputStream in = BitmapFont.class.getResourceAsStream("glyphs.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
