package org.diffusionrpo.diffusion.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Puts pictures into a table with labels above the columns and to the left of the rows. */
public final class ImageGrid {
  private static final int GAP = 4;
  /** Side of a cell that takes a label of some words. */
  private static final int LEGIBLE = 128;
  /** A cell of so many pixels gets labels one step larger. */
  private static final int PIXELS_PER_SCALE = 160;
  /** Row labels are broken at blanks into lines of about so many characters. */
  private static final int ROW_LABEL_CHARACTERS = 18;

  private ImageGrid() {}

  /**
   * Composes a table on white; all cells are as large as the largest picture, smaller ones stand at their top left.
   *
   * @param rows the pictures row by row; a null leaves its cell empty
   * @param columnLabels one per column, or empty for none; broken at blanks to the width of a cell
   * @param rowLabels one per row, or empty for none
   */
  public static RgbImage compose(List<List<RgbImage>> rows, List<String> columnLabels, List<String> rowLabels) {
    int columns = rows.stream().mapToInt(List::size).max().orElse(0);
    if (columns == 0) {
      throw new IllegalArgumentException("a grid needs at least one picture");
    }
    requireCount("column", columnLabels, columns);
    requireCount("row", rowLabels, rows.size());
    int cellWidth = 1;
    int cellHeight = 1;
    for (List<RgbImage> row : rows) {
      for (RgbImage image : row) {
        cellWidth = image == null ? cellWidth : Math.max(cellWidth, image.width());
        cellHeight = image == null ? cellHeight : Math.max(cellHeight, image.height());
      }
    }
    int scale = 1 + Math.min(cellWidth, cellHeight) / PIXELS_PER_SCALE;
    int cellCharacters = Math.max(1, cellWidth / (scale * BitmapFont.ADVANCE));
    List<List<String>> above = columnLabels.stream().map(label -> wrap(label, cellCharacters)).toList();
    List<List<String>> beside = rowLabels.stream().map(label -> wrap(label, ROW_LABEL_CHARACTERS)).toList();
    int longest = beside.stream().flatMap(List::stream).mapToInt(String::length).max().orElse(0);
    int left = GAP + (longest == 0 ? 0 : longest * BitmapFont.ADVANCE * scale + GAP);
    int top = GAP + above.stream().mapToInt(List::size).max().orElse(0) * BitmapFont.LINE * scale;

    int width = left + columns * (cellWidth + GAP);
    int height = top + rows.size() * (cellHeight + GAP);
    byte[] rgb = new byte[3 * width * height];
    Arrays.fill(rgb, (byte) 255);
    for (int c = 0; c < above.size(); c++) {
      drawLines(rgb, width, height, above.get(c), left + c * (cellWidth + GAP), GAP, scale);
    }
    for (int r = 0; r < rows.size(); r++) {
      int y = top + r * (cellHeight + GAP);
      if (!beside.isEmpty()) {
        drawLines(rgb, width, y + cellHeight, beside.get(r), GAP, y, scale);
      }
      for (int c = 0; c < rows.get(r).size(); c++) {
        if (rows.get(r).get(c) != null) {
          paste(rgb, width, rows.get(r).get(c), left + c * (cellWidth + GAP), y);
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** A picture smaller than a label can be read in, enlarged by repeating its pixels; others stay as they are. */
  public static RgbImage magnifySmall(RgbImage image) {
    int factor = Math.max(1, LEGIBLE / Math.max(image.width(), image.height()));
    int width = image.width() * factor;
    int height = image.height() * factor;
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        System.arraycopy(image.rgb(), 3 * (y / factor * image.width() + x / factor), rgb, 3 * (y * width + x), 3);
      }
    }
    return new RgbImage(width, height, rgb);
  }

  private static void requireCount(String kind, List<String> labels, int expected) {
    if (!labels.isEmpty() && labels.size() != expected) {
      throw new IllegalArgumentException(
          "a grid of " + expected + " " + kind + "s got " + labels.size() + " " + kind + " labels");
    }
  }

  private static void drawLines(
      byte[] rgb, int width, int height, List<String> lines, int left, int top, int scale) {
    for (int i = 0; i < lines.size(); i++) {
      BitmapFont.draw(rgb, width, height, lines.get(i), left, top + i * BitmapFont.LINE * scale, scale);
    }
  }

  private static void paste(byte[] rgb, int width, RgbImage image, int left, int top) {
    int stride = 3 * image.width();
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(image.rgb(), y * stride, rgb, 3 * ((top + y) * width + left), stride);
    }
  }

  /** Lines of at most {@code limit} characters; a longer word is cut. */
  private static List<String> wrap(String text, int limit) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.strip().split("\\s+")) {
      String fitted = word.length() > limit ? word.substring(0, limit) : word;
      if (line.length() > 0 && line.length() + 1 + fitted.length() > limit) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.length() == 0 ? "" : " ").append(fitted);
    }
    lines.add(line.toString());
    return lines;
  }
}
