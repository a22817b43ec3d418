package org.diffusionrpo.tensor.io;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.diffusionrpo.kernels.cpu.HalfFloats;

/**
 * Writes one safetensors file of F32, F16, BF16 and I64 tensors. As in the reference writer the data are ordered by
 * alignment, largest first, then by name, and the header is padded so that the data begin at a multiple of 8 bytes.
 */
public final class SafetensorsWriter implements TensorSink {
  private static final int ALIGNMENT = 8;
  private static final Set<DType> WRITABLE = Set.of(DType.F32, DType.F16, DType.BF16, DType.I64);

  private final Path file;
  private final Path temporary;
  private final FileChannel channel;
  private final Chunks chunks = new Chunks();
  private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
  private final Map<String, Long> positions = new HashMap<>();
  private final Set<String> missing;

  private SafetensorsWriter(Path file, List<TensorInfo> tensors, Map<String, String> metadata) throws IOException {
    this.file = file;
    for (TensorInfo tensor : tensors) {
      if (infos.put(tensor.name(), tensor) != null || tensor.name().equals(SafetensorsHeader.METADATA)) {
        throw new IllegalArgumentException(file + ": the name " + Messages.quote(tensor.name()) + " is already taken");
      }
      if (!WRITABLE.contains(tensor.dtype())) {
        throw new IllegalArgumentException(file + ": " + tensor + " has none of the types F32, F16, BF16 and I64");
      }
    }
    this.missing = new TreeSet<>(infos.keySet());
    byte[] header = header(tensors, metadata);
    long position = Long.BYTES + header.length;
    for (TensorInfo tensor : tensors) {
      positions.put(tensor.name(), position);
      position += tensor.bytes();
    }
    this.temporary = AtomicFiles.temporary(file);
    this.channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    ByteBuffer start = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
    try {
      Chunks.writeFully(channel, 0, start.putLong(header.length).put(header).flip());
    } catch (IOException e) {
      close();
      throw new IOException(file + ": cannot write the header: " + e.getMessage(), e);
    }
  }

  /** A file of these tensors with the metadata every reader accepts, {@code {"format": "pt"}}. */
  public static SafetensorsWriter create(Path file, Collection<TensorInfo> tensors) throws IOException {
    return create(file, tensors, Map.of());
  }

  /** A file of these tensors; {@code "format": "pt"} is added to the metadata unless they have a format. */
  public static SafetensorsWriter create(Path file, Collection<TensorInfo> tensors, Map<String, String> metadata)
      throws IOException {
    Map<String, String> complete = new TreeMap<>(metadata);
    complete.putIfAbsent("format", "pt");
    List<TensorInfo> ordered = tensors.stream()
        .sorted(Comparator.comparing(TensorInfo::dtype).reversed().thenComparing(TensorInfo::name))
        .toList();
    return new SafetensorsWriter(file, ordered, complete);
  }

  private static byte[] header(List<TensorInfo> tensors, Map<String, String> metadata) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = SafetensorsHeader.JSON.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeObjectFieldStart(SafetensorsHeader.METADATA);
      for (Map.Entry<String, String> pair : metadata.entrySet()) {
        json.writeStringField(pair.getKey(), pair.getValue());
      }
      json.writeEndObject();
      long begin = 0;
      for (TensorInfo tensor : tensors) {
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.dtype().name());
        long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
        json.writeFieldName("shape");
        json.writeArray(shape, 0, shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {begin, begin + tensor.bytes()}, 0, 2);
        json.writeEndObject();
        begin += tensor.bytes();
      }
      json.writeEndObject();
    }
    while (bytes.size() % ALIGNMENT != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  @Override
  public void writeFloats(String name, float[] values) throws IOException {
    TensorInfo info = announced(name, values.length, "float", info(name).dtype().isFloat());
    write(info, values.length, switch (info.dtype()) {
      case F32 -> (buffer, first, count) -> buffer.asFloatBuffer().put(values, first, count);
      case F16 -> (buffer, first, count) -> {
        for (int i = 0; i < count; i++) {
          buffer.putShort(HalfFloats.toFp16(values[first + i]));
        }
      };
      case BF16 -> (buffer, first, count) -> {
        for (int i = 0; i < count; i++) {
          buffer.putShort(HalfFloats.toBf16(values[first + i]));
        }
      };
      default -> throw new AssertionError(info.dtype());
    });
  }

  @Override
  public void writeHalves(String name, short[] values) throws IOException {
    TensorInfo info = announced(name, values.length, "half", info(name).dtype().isHalf());
    write(info, values.length, (buffer, first, count) -> buffer.asShortBuffer().put(values, first, count));
  }

  @Override
  public void writeLongs(String name, long[] values) throws IOException {
    TensorInfo info = announced(name, values.length, "long", info(name).dtype() == DType.I64);
    write(info, values.length, (buffer, first, count) -> buffer.asLongBuffer().put(values, first, count));
  }

  private TensorInfo info(String name) {
    TensorInfo info = infos.get(name);
    if (info == null) {
      throw new IllegalArgumentException(file + ": tensor " + Messages.quote(name) + " was not announced");
    }
    return info;
  }

  private TensorInfo announced(String name, int length, String array, boolean fits) {
    TensorInfo info = info(name);
    if (!fits || length != info.elements()) {
      throw new IllegalArgumentException(
          file + ": " + info + " cannot be written from " + array + "[" + length + "]");
    }
    if (!missing.contains(name)) {
      throw new IllegalArgumentException(file + ": " + info + " was already written");
    }
    return info;
  }

  private void write(TensorInfo info, int elements, Chunks.Transfer giver) throws IOException {
    try {
      chunks.write(channel, positions.get(info.name()), elements, info.dtype().bits() / Byte.SIZE, giver);
    } catch (IOException e) {
      throw new IOException(file + ": cannot write " + info + ": " + e.getMessage(), e);
    }
    missing.remove(info.name());
  }

  /** {@link IllegalStateException} that names a tensor not yet written, if there is one. */
  void requireComplete() {
    if (!missing.isEmpty()) {
      throw new IllegalStateException(file + ": tensor " + Messages.quote(missing.iterator().next())
          + " was announced but not written (" + missing.size() + " such)");
    }
  }

  @Override
  public void commit() throws IOException {
    requireComplete();
    channel.close();
    AtomicFiles.publish(temporary, file);
  }

  /** Closes; deletes what was written unless it was committed. */
  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(temporary);
  }
}
