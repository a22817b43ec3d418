package org.diffusionrpo.diffusion.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.tensor.io.AtomicFiles;

/**
 * What the records of an {@link EncodingStore} are.
 *
 * @param kind such as {@code moments}; begins the folder's name
 * @param madeBy all that the values depend on beside what is encoded: checksums of weights, the transform
 * @param values numbers in a record
 */
public record StoreContents(String kind, Map<String, String> madeBy, int values, Precision precision) {
  /** Changes when the files or the meaning of the values do. */
  private static final int FORMAT = 1;
  private static final int HASH_DIGITS = 16;

  public StoreContents {
    madeBy = new TreeMap<>(madeBy);
    if (values < 1) {
      throw new IllegalArgumentException("records of " + values + " values");
    }
  }

  int recordBytes() {
    return Math.multiplyExact(values, precision.bytes());
  }

  /** Name of the folder below the cache. */
  String folder() {
    return kind + "-" + ContentKey.of(about()).hex().substring(0, HASH_DIGITS);
  }

  /** Refuses a folder that says another thing, which only a clash of hashes could bring about. */
  void writeAbout(Path folder) throws IOException {
    Path file = folder.resolve("about.txt");
    if (!Files.exists(file)) {
      AtomicFiles.write(file, about());
    } else if (!Files.readString(file).equals(about())) {
      throw new IOException(file + ": is about other encodings; delete this folder");
    }
  }

  private String about() {
    StringBuilder text = new StringBuilder("kind: " + kind + "\nformat: " + FORMAT + "\nvalues: " + values
        + "\nprecision: " + precision + "\n");
    madeBy.forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
    return text.toString();
  }
}
