package org.diffusionrpo.diffusion.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;

/**
 * Encodings on disk, found by what was encoded and read by position. What made them names the folder, so encodings of
 * other weights or of another transform are in another folder and a stale one cannot be met:
 * <pre>
 *   KIND-HASH/about.txt      what the hash is of
 *   KIND-HASH/records.bin    records of one size, one behind the other
 *   KIND-HASH/index.bin      their keys and checksums, see {@link StoreIndex}
 * </pre>
 * Both files are only added to, in this order, so whatever stops the program leaves a store that holds all finished
 * records. One process may write while others read what was there when they opened it.
 */
public final class EncodingStore implements Closeable {
  private final Path folder;
  private final StoreContents contents;
  private final Writer writer;
  private final Map<ContentKey, Integer> records = new ConcurrentHashMap<>();
  private final FileChannel data;
  private volatile int[] checksums = new int[0];
  private volatile int size;
  private FileChannel index;
  private FileChannel lockFile;

  /** Writes some bytes of a buffer at a position, as {@link FileChannel#write(ByteBuffer, long)}. */
  interface Writer {
    int write(FileChannel channel, ByteBuffer from, long position) throws IOException;
  }

  private EncodingStore(Path folder, StoreContents contents, Writer writer) throws IOException {
    this.folder = folder;
    this.contents = contents;
    this.writer = writer;
    Files.createDirectories(folder);
    this.data = FileChannel.open(folder.resolve("records.bin"), StandardOpenOption.CREATE, StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  /** Opens or begins the store of these contents below a cache folder. */
  public static EncodingStore open(Path cache, StoreContents contents) throws IOException {
    return open(cache, contents, FileChannel::write);
  }

  static EncodingStore open(Path cache, StoreContents contents, Writer writer) throws IOException {
    EncodingStore store = new EncodingStore(cache.resolve(contents.folder()), contents, writer);
    try {
      contents.writeAbout(store.folder);
      store.scan();
      return store;
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /** Takes over the index, but for records at the end that were not written completely. */
  private void scan() throws IOException {
    List<StoreIndex.Entry> entries = StoreIndex.read(indexFile());
    int whole = (int) Math.min(entries.size(), data.size() / contents.recordBytes());
    while (whole > 0 && crc(readBytes(whole - 1)) != entries.get(whole - 1).crc()) {
      whole--;
    }
    checksums = entries.stream().limit(whole).mapToInt(StoreIndex.Entry::crc).toArray();
    for (int i = 0; i < whole; i++) {
      records.put(entries.get(i).key(), i);
    }
    size = whole;
  }

  /** Number of records. */
  public int size() {
    return size;
  }

  public boolean contains(ContentKey key) {
    return records.containsKey(key);
  }

  /** The number of the record of a key; -1 when there is none. */
  public int find(ContentKey key) {
    return records.getOrDefault(key, -1);
  }

  /**
   * The values of a record.
   *
   * @throws IOException when they have changed since they were written
   */
  public float[] read(int record) throws IOException {
    ByteBuffer bytes = readBytes(record);
    if (crc(bytes) != checksums[record]) {
      throw new IOException(folder + ": record " + record + " is damaged; delete this folder to have it made again");
    }
    return contents.precision().read(bytes);
  }

  /**
   * Adds records and forces them to the disk; on a fault, such as a full disk, the store keeps what it had.
   *
   * @param keys not contained yet
   * @param values of each key
   */
  public synchronized void append(List<ContentKey> keys, List<float[]> values) throws IOException {
    beginWriting();
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(keys.size(), contents.recordBytes()));
    ByteBuffer entries = ByteBuffer.allocate(keys.size() * StoreIndex.ENTRY);
    int[] sums = Arrays.copyOf(checksums, size + keys.size());
    for (int i = 0; i < keys.size(); i++) {
      contents.precision().write(values.get(i), bytes);
      ByteBuffer record = bytes.duplicate().flip().position(i * contents.recordBytes());
      sums[size + i] = crc(record);
      new StoreIndex.Entry(keys.get(i), sums[size + i]).write(size + i, entries);
    }
    try {
      write(data, bytes.flip(), (long) size * contents.recordBytes());
      write(index, entries.flip(), (long) size * StoreIndex.ENTRY);
    } catch (IOException e) {
      cut();
      throw new IOException(folder + ": cannot add to the cache, which keeps its " + size + " records: " + e.getMessage(),
          e);
    }
    checksums = sums;
    for (int i = 0; i < keys.size(); i++) {
      records.put(keys.get(i), size + i);
    }
    size += keys.size();
  }

  private void write(FileChannel channel, ByteBuffer from, long position) throws IOException {
    long end = position + from.remaining();
    while (from.hasRemaining()) {
      writer.write(channel, from, end - from.remaining());
    }
    channel.force(false);
  }

  /** Becomes the only writer and cuts off what is not complete. */
  private void beginWriting() throws IOException {
    if (index != null) {
      return;
    }
    FileChannel file = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!locked(file)) {
      file.close();
      throw new IOException(folder + ": another process is filling this cache; wait for it, or take another --cache");
    }
    lockFile = file;
    scan(); // another process may have added to it
    index = FileChannel.open(indexFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    cut();
  }

  private static boolean locked(FileChannel file) throws IOException {
    try {
      FileLock lock = file.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private void cut() throws IOException {
    index.truncate((long) size * StoreIndex.ENTRY);
    data.truncate((long) size * contents.recordBytes());
  }

  private ByteBuffer readBytes(int record) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(contents.recordBytes());
    int count = StoreIndex.readFully(data, bytes, (long) record * contents.recordBytes());
    if (count < bytes.capacity()) {
      throw new IOException(folder + ": ends within record " + record);
    }
    return bytes.flip();
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  private Path indexFile() {
    return folder.resolve("index.bin");
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : new FileChannel[] {data, index, lockFile}) {
      if (channel != null) {
        channel.close();
      }
    }
  }
}
