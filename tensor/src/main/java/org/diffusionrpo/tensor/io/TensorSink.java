package org.diffusionrpo.tensor.io;

import java.io.Closeable;
import java.io.IOException;

/**
 * Takes the tensors announced when it was made, each once, in any order, and one at a time in memory. The target
 * appears at {@link #commit}; closing before leaves no trace of it.
 * <pre>
 *   try (TensorSink sink = SafetensorsWriter.create(file, infos)) {
 *     for (...) sink.writeFloats(name, values);
 *     sink.commit();
 *   }
 * </pre>
 * {@link IllegalArgumentException} for a name that was not announced or an array of another length.
 */
public interface TensorSink extends Closeable {
  /** Writes a tensor announced as F32, F16 or BF16, rounding to nearest even. */
  void writeFloats(String name, float[] values) throws IOException;

  /** Writes the bit patterns of a tensor announced as F16 or BF16. */
  void writeHalves(String name, short[] values) throws IOException;

  /** Writes a tensor announced as I64. */
  void writeLongs(String name, long[] values) throws IOException;

  /** Forces all to the disk under the final names; {@link IllegalStateException} if a tensor was not written. */
  void commit() throws IOException;
}
