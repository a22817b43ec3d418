package org.diffusionrpo.tensor.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * Moves arrays of little-endian elements between a file and the heap through one small buffer, so that neither the
 * size of a file nor that of a tensor in bytes is limited to 2 GiB.
 */
final class Chunks {
  private static final int BYTES = 64 * 1024;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** Takes from or puts into {@code buffer} the {@code count} elements from number {@code first} on. */
  @FunctionalInterface
  interface Transfer {
    void apply(ByteBuffer buffer, int first, int count);
  }

  /** Reads {@code elements} elements of {@code width} bytes; {@link EOFException} if the file ends before. */
  void read(FileChannel channel, long position, int elements, int width, Transfer taker) throws IOException {
    int most = BYTES / width;
    for (int count, first = 0; first < elements; first += count) {
      count = Math.min(most, elements - first);
      buffer.clear().limit(count * width);
      readFully(channel, position + (long) first * width, buffer);
      taker.apply(buffer.flip(), first, count);
    }
  }

  /** Writes {@code elements} elements of {@code width} bytes. */
  void write(FileChannel channel, long position, int elements, int width, Transfer giver) throws IOException {
    int most = BYTES / width;
    for (int count, first = 0; first < elements; first += count) {
      count = Math.min(most, elements - first);
      giver.apply(buffer.clear(), first, count);
      buffer.position(0).limit(count * width);
      writeFully(channel, position + (long) first * width, buffer);
    }
  }

  /** Fills the buffer from its position to its limit. */
  static void readFully(FileChannel channel, long position, ByteBuffer buffer) throws IOException {
    long offset = position - buffer.position();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException("ends at byte " + (offset + buffer.position()) + ", shorter than when it was opened");
      }
    }
  }

  /** Writes the buffer from its position to its limit. */
  static void writeFully(FileChannel channel, long position, ByteBuffer buffer) throws IOException {
    long offset = position - buffer.position();
    while (buffer.hasRemaining()) {
      channel.write(buffer, offset + buffer.position());
    }
  }
}
