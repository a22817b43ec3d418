package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.diffusionrpo.diffusion.data.ContentKey;
import org.diffusionrpo.rpo.data.LeftOut;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.tensor.io.AtomicFiles;

/**
 * Of a pair only the keys of its pictures and its caption. Those of a block are kept in a file under a name that
 * depends on the block's identity, so that a later run finds its encodings without reading a picture.
 */
record PairKeys(ContentKey winner, ContentKey loser, ContentKey caption) {
  /** In the place of an entry with a picture that cannot be decoded. */
  static final PairKeys UNREADABLE = none(0);
  /** In the place of an entry that lacks something. */
  static final PairKeys MISSING = none(1);

  /** Goes up whenever the file or what a key stands for changes. */
  private static final int FORMAT = 2;
  private static final int BYTES = 3 * ContentKey.BYTES;

  private static PairKeys none(long number) {
    ContentKey key = new ContentKey(0, 0, 0, number);
    return new PairKeys(key, key, key);
  }

  static PairKeys of(LeftOut leftOut) {
    return leftOut.unreadable() ? UNREADABLE : MISSING;
  }

  /** False for an entry that no training can use. */
  boolean isPair() {
    return !equals(UNREADABLE) && !equals(MISSING);
  }

  PairKeys swapped() {
    return new PairKeys(loser, winner, caption);
  }

  /** Null when there are none, or no whole ones. */
  static List<PairKeys> load(Path cache, PairBlock block) throws IOException {
    Path file = file(cache, block);
    if (file == null || !Files.isRegularFile(file)) {
      return null;
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    int end = Integer.BYTES + block.size() * BYTES;
    if (bytes.capacity() != end + Integer.BYTES || bytes.getInt() != FORMAT
        || bytes.getInt(end) != crc(bytes.array(), end)) {
      return null;
    }
    List<PairKeys> keys = new ArrayList<>();
    for (int i = 0; i < block.size(); i++) {
      keys.add(new PairKeys(ContentKey.read(bytes), ContentKey.read(bytes), ContentKey.read(bytes)));
    }
    return keys;
  }

  /** Does nothing for a block whose content only reading tells. */
  static void save(Path cache, PairBlock block, List<PairKeys> keys) throws IOException {
    Path file = file(cache, block);
    if (file == null) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + keys.size() * BYTES + Integer.BYTES);
    bytes.putInt(FORMAT);
    for (PairKeys pair : keys) {
      pair.winner.write(bytes);
      pair.loser.write(bytes);
      pair.caption.write(bytes);
    }
    bytes.putInt(crc(bytes.array(), bytes.position()));
    AtomicFiles.write(file, bytes.array());
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static Path file(Path cache, PairBlock block) {
    return block.identity() == null ? null
        : cache.resolve("pairs").resolve(ContentKey.of(block.identity()).hex() + ".keys");
  }
}
