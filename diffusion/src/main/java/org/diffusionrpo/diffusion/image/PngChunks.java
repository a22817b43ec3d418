package org.diffusionrpo.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/** The chunk layer of a PNG file (W3C PNG specification, third edition, section 5): signature, length, type, CRC. */
final class PngChunks {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  /** Length, type and CRC of a chunk. */
  private static final int OVERHEAD = 12;

  record Chunk(String type, byte[] data) {}

  private PngChunks() {}

  static boolean isPng(byte[] bytes) {
    return bytes.length >= SIGNATURE.length
        && Arrays.equals(bytes, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
  }

  /** Reads every chunk up to IEND. Bytes after IEND are ignored, as all readers do. */
  static List<Chunk> parse(byte[] png, String name) throws IOException {
    if (!isPng(png)) {
      throw new IOException(name + ": not a PNG file");
    }
    List<Chunk> chunks = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(png).position(SIGNATURE.length);
    while (in.remaining() >= OVERHEAD) {
      int length = in.getInt();
      if (length < 0 || length > in.remaining() - 8) {
        break;
      }
      CRC32 crc = new CRC32();
      crc.update(png, in.position(), length + 4);
      byte[] type = new byte[4];
      byte[] data = new byte[length];
      in.get(type).get(data);
      Chunk chunk = new Chunk(new String(type, StandardCharsets.ISO_8859_1), data);
      if (in.getInt() != (int) crc.getValue()) {
        throw new IOException(name + ": damaged PNG, wrong checksum of its " + chunk.type() + " chunk");
      }
      chunks.add(chunk);
      if (chunk.type().equals("IEND")) {
        return chunks;
      }
    }
    throw new IOException(name + ": truncated PNG");
  }

  static byte[] join(List<Chunk> chunks) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    for (Chunk chunk : chunks) {
      ByteBuffer buffer = ByteBuffer.allocate(chunk.data().length + OVERHEAD).putInt(chunk.data().length);
      buffer.put(chunk.type().getBytes(StandardCharsets.ISO_8859_1)).put(chunk.data());
      CRC32 crc = new CRC32();
      crc.update(buffer.array(), 4, chunk.data().length + 4);
      out.writeBytes(buffer.putInt((int) crc.getValue()).array());
    }
    return out.toByteArray();
  }
}
