package org.diffusionrpo.tensor.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.diffusionrpo.kernels.cpu.HalfFloats;

/**
 * Reads one safetensors file.
 * <pre>
 *   8 bytes   N, unsigned, little-endian
 *   N bytes   header: JSON, name -> {dtype, shape, data_offsets}
 *   rest      the tensors one after the other, row-major, little-endian
 * </pre>
 * Opening checks the whole header, so every tensor of an open file lies inside it. Tensors are read when asked for,
 * whole or in pieces; the file is not mapped, and only what is read takes memory. Every fault, of the file or of the
 * disk, is an {@link IOException} of one line that names the file. Threads may share an object; their reads take turns.
 */
public final class SafetensorsFile implements TensorSource {
  private static final int LENGTH_BYTES = Long.BYTES;
  /** Longest array the virtual machine is sure to give. */
  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  private final Path file;
  private final FileChannel channel;
  private final Chunks chunks = new Chunks();
  private final Map<String, String> metadata;
  private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
  /** Where the data of a tensor begin, in bytes from the start of the file. */
  private final Map<String, Long> positions = new HashMap<>();

  private SafetensorsFile(Path file, FileChannel channel, SafetensorsHeader header, long dataPosition) {
    this.file = file;
    this.channel = channel;
    this.metadata = Collections.unmodifiableMap(header.metadata());
    for (SafetensorsHeader.Entry entry : header.entries()) {
      infos.put(entry.info().name(), entry.info());
      positions.put(entry.info().name(), dataPosition + entry.begin());
    }
  }

  /** Opens a file and checks its header. */
  public static SafetensorsFile open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "there is no such file");
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      long length = channel.size();
      int headerBytes = headerBytes(channel, length);
      ByteBuffer header = ByteBuffer.allocate(headerBytes);
      Chunks.readFully(channel, LENGTH_BYTES, header);
      long dataPosition = LENGTH_BYTES + (long) headerBytes;
      return new SafetensorsFile(
          file, channel, SafetensorsHeader.parse(header.array(), length - dataPosition), dataPosition);
    } catch (IOException e) {
      channel.close();
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static int headerBytes(FileChannel channel, long length) throws IOException {
    if (length < LENGTH_BYTES) {
      throw new IOException("has " + length + " bytes, too few for a safetensors file");
    }
    ByteBuffer prefix = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Chunks.readFully(channel, 0, prefix);
    long headerBytes = prefix.getLong(0);
    if (headerBytes < 0 || headerBytes > SafetensorsHeader.MAX_BYTES) {
      throw new IOException("claims a header of " + Long.toUnsignedString(headerBytes) + " bytes, more than the "
          + SafetensorsHeader.MAX_BYTES + " allowed; is it a safetensors file?");
    }
    if (headerBytes > length - LENGTH_BYTES) {
      throw new IOException("claims a header of " + headerBytes + " bytes, but has only " + length + " bytes");
    }
    return (int) headerBytes;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(infos.keySet());
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = infos.get(name);
    if (info == null) {
      throw new IllegalArgumentException(file + ": has no tensor " + Messages.quote(name));
    }
    return info;
  }

  @Override
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public float[] readFloats(String name) throws IOException {
    TensorInfo info = info(name);
    float[] values = new float[arrayLength(info, info.dtype().isFloat(), "float")];
    readFloats(name, 0, values, values.length);
    return values;
  }

  @Override
  public void readFloats(String name, long first, float[] values, int count) throws IOException {
    TensorInfo info = info(name);
    requireReadable(info, info.dtype().isFloat(), "float");
    if (first < 0 || count < 0 || count > values.length || first > info.elements() - count) {
      throw new IllegalArgumentException(file + ": " + info + " has no elements " + first + " to " + (first + count));
    }
    read(info, first, count, switch (info.dtype()) {
      case F32 -> (buffer, at, length) -> buffer.asFloatBuffer().get(values, at, length);
      case F16 -> (buffer, at, length) -> {
        for (int i = 0; i < length; i++) {
          values[at + i] = HalfFloats.fromFp16(buffer.getShort());
        }
      };
      case BF16 -> (buffer, at, length) -> {
        for (int i = 0; i < length; i++) {
          values[at + i] = HalfFloats.fromBf16(buffer.getShort());
        }
      };
      default -> throw new AssertionError(info.dtype());
    });
  }

  @Override
  public short[] readHalves(String name) throws IOException {
    TensorInfo info = info(name);
    short[] values = new short[arrayLength(info, info.dtype().isHalf(), "half")];
    read(info, 0, values.length, (buffer, first, count) -> buffer.asShortBuffer().get(values, first, count));
    return values;
  }

  @Override
  public long[] readLongs(String name) throws IOException {
    TensorInfo info = info(name);
    long[] values = new long[arrayLength(info, info.dtype() == DType.I64, "long")];
    read(info, 0, values.length, (buffer, first, count) -> buffer.asLongBuffer().get(values, first, count));
    return values;
  }

  private void requireReadable(TensorInfo info, boolean readable, String array) throws IOException {
    if (!readable) {
      throw new IOException(file + ": " + info + " cannot be read into " + array + "[]");
    }
  }

  private int arrayLength(TensorInfo info, boolean readable, String array) throws IOException {
    requireReadable(info, readable, array);
    if (info.elements() > MAX_ARRAY) {
      throw new IOException(file + ": " + info + " has more elements than a Java array can hold");
    }
    return (int) info.elements();
  }

  private synchronized void read(TensorInfo info, long first, int elements, Chunks.Transfer taker)
      throws IOException {
    int width = info.dtype().bits() / Byte.SIZE;
    try {
      chunks.read(channel, positions.get(info.name()) + first * width, elements, width, taker);
    } catch (IOException e) {
      throw new IOException(file + ": cannot read " + info + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
