package org.diffusionrpo.diffusion.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.InflaterInputStream;
import org.diffusionrpo.diffusion.image.PngChunks.Chunk;

/**
 * Text inside a PNG file, where the usual web interfaces keep the settings of a generated picture under the keyword
 * {@code parameters}. W3C PNG specification, third edition, section 11.3.3 (tEXt, zTXt, iTXt).
 */
public final class PngText {
  private static final int MAX_KEYWORD = 79;
  /** A compressed text that grows beyond this is refused. */
  private static final int MAX_TEXT = 16 << 20;

  private PngText() {}

  /** Keyword to text, in file order; of equal keywords the last one counts. */
  public static Map<String, String> read(byte[] png, String name) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Chunk chunk : PngChunks.parse(png, name)) {
      if (List.of("tEXt", "zTXt", "iTXt").contains(chunk.type())) {
        int end = indexOfZero(chunk, 0, name);
        texts.put(text(chunk, 0, end, StandardCharsets.ISO_8859_1), switch (chunk.type()) {
          case "tEXt" -> text(chunk, end + 1, chunk.data().length, StandardCharsets.ISO_8859_1);
          case "zTXt" -> inflate(chunk, end + 2, StandardCharsets.ISO_8859_1, name);
          default -> international(chunk, end + 1, name);
        });
      }
    }
    return texts;
  }

  /** A copy of the file with these texts before its pixels; Latin-1 goes to tEXt, other text to iTXt as UTF-8. */
  public static byte[] add(byte[] png, Map<String, String> texts, String name) throws IOException {
    List<Chunk> chunks = new ArrayList<>(PngChunks.parse(png, name));
    int at = 0;
    while (at < chunks.size() - 1 && !chunks.get(at).type().equals("IDAT")) {
      at++;
    }
    for (Map.Entry<String, String> text : texts.entrySet()) {
      chunks.add(at++, chunk(text.getKey(), text.getValue()));
    }
    return PngChunks.join(chunks);
  }

  private static Chunk chunk(String keyword, String text) {
    if (keyword.isEmpty() || keyword.length() > MAX_KEYWORD || !isLatin1(keyword) || text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "PNG text '" + keyword + "': a keyword has 1 to " + MAX_KEYWORD + " Latin-1 characters, a text no NUL");
    }
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(keyword.getBytes(StandardCharsets.ISO_8859_1));
    if (isLatin1(text)) {
      data.write(0);
      data.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
      return new Chunk("tEXt", data.toByteArray());
    }
    data.writeBytes(new byte[5]); // end of keyword, not compressed, method 0, empty language, empty translated keyword
    data.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    return new Chunk("iTXt", data.toByteArray());
  }

  private static boolean isLatin1(String text) {
    return text.chars().allMatch(c -> c > 0 && c < 256);
  }

  private static String international(Chunk chunk, int at, String name) throws IOException {
    int language = indexOfZero(chunk, at + 2, name);
    int start = indexOfZero(chunk, language + 1, name) + 1;
    return chunk.data()[at] == 0
        ? text(chunk, start, chunk.data().length, StandardCharsets.UTF_8)
        : inflate(chunk, start, StandardCharsets.UTF_8, name);
  }

  private static String text(Chunk chunk, int from, int to, Charset charset) {
    return new String(chunk.data(), from, to - from, charset);
  }

  private static String inflate(Chunk chunk, int from, Charset charset, String name) throws IOException {
    int length = Math.max(0, chunk.data().length - from);
    try (InflaterInputStream in = new InflaterInputStream(
        new ByteArrayInputStream(chunk.data(), Math.min(from, chunk.data().length), length))) {
      byte[] text = in.readNBytes(MAX_TEXT + 1);
      if (text.length > MAX_TEXT) {
        throw new IOException("longer than " + MAX_TEXT + " bytes");
      }
      return new String(text, charset);
    } catch (IOException e) {
      throw new IOException(name + ": damaged PNG, " + chunk.type() + " chunk: " + e.getMessage(), e);
    }
  }

  private static int indexOfZero(Chunk chunk, int from, String name) throws IOException {
    for (int i = from; i < chunk.data().length; i++) {
      if (chunk.data()[i] == 0) {
        return i;
      }
    }
    throw new IOException(name + ": damaged PNG, " + chunk.type() + " chunk without its separators");
  }
}
