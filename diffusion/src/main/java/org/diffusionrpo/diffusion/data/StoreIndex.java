package org.diffusionrpo.diffusion.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The list of the records of an {@link EncodingStore}, by number: 32 bytes key, 4 bytes CRC-32C of the record, 4 bytes
 * CRC-32C of these 36 bytes and the number, all big-endian. It is only added to, after the record itself, so an entry
 * that was written half ends the list.
 */
final class StoreIndex {
  static final int ENTRY = ContentKey.BYTES + 8;

  private StoreIndex() {}

  /** One record. */
  record Entry(ContentKey key, int crc) {
    void write(int number, ByteBuffer out) {
      int from = out.position();
      key.write(out);
      out.putInt(crc);
      out.putInt(check(out.array(), from, number));
    }
  }

  /** The entries up to the first one that does not hold. */
  static List<Entry> read(Path file) throws IOException {
    List<Entry> entries = new ArrayList<>();
    if (!Files.exists(file)) {
      return entries;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      byte[] bytes = new byte[ENTRY * 4096];
      for (long position = 0; ; position += bytes.length) {
        int count = readFully(channel, ByteBuffer.wrap(bytes), position) / ENTRY;
        for (int i = 0; i < count; i++) {
          ByteBuffer entry = ByteBuffer.wrap(bytes, i * ENTRY, ENTRY);
          Entry read = new Entry(ContentKey.read(entry), entry.getInt());
          if (entry.getInt() != check(bytes, i * ENTRY, entries.size())) {
            return entries;
          }
          entries.add(read);
        }
        if (count * ENTRY < bytes.length) {
          return entries;
        }
      }
    }
  }

  private static int check(byte[] bytes, int from, int number) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, ENTRY - 4);
    crc.update(ByteBuffer.allocate(4).putInt(0, number));
    return (int) crc.getValue();
  }

  /** Bytes read: fewer than asked for at the end of the file. */
  static int readFully(FileChannel channel, ByteBuffer to, long position) throws IOException {
    int total = 0;
    while (to.hasRemaining()) {
      int count = channel.read(to, position + total);
      if (count < 0) {
        break;
      }
      total += count;
    }
    return total;
  }
}
