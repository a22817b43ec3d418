package org.diffusionrpo.rpo.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.diffusionrpo.diffusion.data.ContentKey;
import org.diffusionrpo.tensor.io.AtomicFiles;

/**
 * What a Parquet file's footer and labels say, so that its pairs can be numbered without reading a picture. Kept in a
 * file under a name that depends on the shard's name, size and time of change; a damaged one is made again.
 */
record ShardIndex(String identity, MessageType schema, List<Group> groups) {
  private static final int FORMAT = 1;
  private static final Preference[] PREFERENCES = Preference.values();

  /**
   * One row group.
   *
   * @param preferences of all rows
   * @param bytes uncompressed, of the columns that are read
   */
  record Group(Preference[] preferences, long bytes) {}

  /** Reads footer and labels. */
  interface Reader {
    ShardIndex read(Path file, String identity) throws IOException;
  }

  /** The kept index of a file, or a new one, which is then kept. */
  static ShardIndex of(Path file, Path folder, Reader reader) throws IOException {
    String identity = identity(file);
    if (folder == null) {
      return reader.read(file, identity);
    }
    Path kept = folder.resolve(ContentKey.of(identity).hex() + ".shard");
    ShardIndex index = Files.isRegularFile(kept) ? load(kept, identity) : null;
    if (index == null) {
      index = reader.read(file, identity);
      index.save(kept);
    }
    return index;
  }

  private static String identity(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": no such file");
    }
    return file.getFileName() + " " + Files.size(file) + " " + Files.getLastModifiedTime(file).toInstant();
  }

  /** Null when the file is damaged or of another format. */
  private static ShardIndex load(Path kept, String identity) throws IOException {
    CRC32C crc = new CRC32C();
    try (DataInputStream in = new DataInputStream(
        new CheckedInputStream(new ByteArrayInputStream(Files.readAllBytes(kept)), crc))) {
      if (in.readInt() != FORMAT || !in.readUTF().equals(identity)) {
        return null;
      }
      byte[] schema = in.readNBytes(in.readInt());
      List<Group> groups = new ArrayList<>();
      for (int left = in.readInt(); left > 0; left--) {
        long bytes = in.readLong();
        byte[] codes = in.readNBytes(in.readInt());
        Preference[] preferences = new Preference[codes.length];
        for (int i = 0; i < codes.length; i++) {
          preferences[i] = PREFERENCES[codes[i]];
        }
        groups.add(new Group(preferences, bytes));
      }
      long sum = crc.getValue();
      return in.readLong() == sum
          ? new ShardIndex(identity, MessageTypeParser.parseMessageType(new String(schema, UTF_8)), groups) : null;
    } catch (IOException | RuntimeException e) { // cut off, or lengths and codes that are none
      return null;
    }
  }

  private void save(Path kept) throws IOException {
    AtomicFiles.write(kept, stream -> {
      CheckedOutputStream sum = new CheckedOutputStream(stream, new CRC32C());
      DataOutputStream out = new DataOutputStream(sum);
      out.writeInt(FORMAT);
      out.writeUTF(identity);
      byte[] text = schema.toString().getBytes(UTF_8);
      out.writeInt(text.length);
      out.write(text);
      out.writeInt(groups.size());
      for (Group group : groups) {
        out.writeLong(group.bytes());
        out.writeInt(group.preferences().length);
        for (Preference preference : group.preferences()) {
          out.writeByte(preference.ordinal());
        }
      }
      out.writeLong(sum.getChecksum().getValue());
    });
  }
}
