package org.diffusionrpo.diffusion.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncodingStoreTest {
  private static final int VALUES = 6;
  private static final StoreContents CONTENTS = contents("weights", "abc");

  @TempDir Path cache;

  private static StoreContents contents(String name, String value) {
    return new StoreContents("moments", Map.of(name, value), VALUES, Precision.F32);
  }

  private static ContentKey key(int i) {
    return ContentKey.of("picture " + i);
  }

  private static float[] values(int i) {
    float[] values = new float[VALUES];
    Philox.stream(1, "values", i).fillGaussian(values);
    return values;
  }

  private static void append(EncodingStore store, int from, int to) throws IOException {
    store.append(IntStream.range(from, to).mapToObj(EncodingStoreTest::key).toList(),
        IntStream.range(from, to).mapToObj(EncodingStoreTest::values).toList());
  }

  private void assertHolds(int count) throws IOException {
    try (EncodingStore store = EncodingStore.open(cache, CONTENTS)) {
      assertEquals(count, store.size());
      for (int i = 0; i < count; i++) {
        assertArrayEquals(values(i), store.read(store.find(key(i))), "record " + i);
      }
      assertFalse(store.contains(key(count)));
      assertEquals(-1, store.find(key(count)));
    }
  }

  private Path file(String name) {
    return cache.resolve(CONTENTS.folder()).resolve(name);
  }

  private void cut(String name, long bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file(name).toFile(), "rw")) {
      file.setLength(file.length() - bytes);
    }
  }

  private void fill(int from, int to) throws IOException {
    try (EncodingStore store = EncodingStore.open(cache, CONTENTS)) {
      append(store, from, to);
    }
  }

  @Test
  void recordsAreThereAgainAndMoreCanBeAdded() throws IOException {
    fill(0, 3);
    assertHolds(3);
    fill(3, 5);
    assertHolds(5);
  }

  @Test
  void anotherMakerIsAnotherStore() throws IOException {
    fill(0, 2);
    for (StoreContents other : List.of(contents("weights", "abd"), contents("crop", "abc"),
        new StoreContents("moments", CONTENTS.madeBy(), VALUES, Precision.F16),
        new StoreContents("moments", CONTENTS.madeBy(), VALUES + 1, Precision.F32))) {
      assertNotEquals(CONTENTS.folder(), other.folder());
      try (EncodingStore store = EncodingStore.open(cache, other)) {
        assertEquals(0, store.size());
      }
    }
  }

  @Test
  void aTornLastRecordIsDroppedAndWrittenAgain() throws IOException {
    fill(0, 4);
    cut("records.bin", 3);
    assertHolds(3);
    fill(3, 5);
    assertHolds(5);
  }

  @Test
  void aTornLastEntryOfTheIndexIsDroppedAndWrittenAgain() throws IOException {
    fill(0, 4);
    cut("index.bin", 1);
    assertHolds(3);
    fill(3, 5);
    assertHolds(5);
  }

  @Test
  void aLastRecordOfWrongBytesIsDropped() throws IOException {
    fill(0, 4);
    overwrite(4 * 4 * VALUES - 2);
    assertHolds(3);
  }

  @Test
  void aChangedRecordInTheMiddleIsAnErrorWhenItIsRead() throws IOException {
    fill(0, 4);
    overwrite(4 * VALUES);
    try (EncodingStore store = EncodingStore.open(cache, CONTENTS)) {
      assertArrayEquals(values(0), store.read(0));
      IOException error = assertThrows(IOException.class, () -> store.read(1));
      assertTrue(error.getMessage().startsWith(cache.resolve(CONTENTS.folder()) + ": record 1 is damaged"),
          error.getMessage());
    }
  }

  private void overwrite(long position) throws IOException {
    try (FileChannel channel = FileChannel.open(file("records.bin"), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {99}), position);
    }
  }

  @Test
  void aFullDiskLeavesWhatWasThereAndRoomForMoreLater() throws IOException {
    fill(0, 2);
    for (String full : List.of("records.bin", "index.bin")) {
      long limit = Files.size(file(full)) + 5;
      try (EncodingStore store = EncodingStore.open(cache, CONTENTS, (channel, from, at) -> {
        boolean limited = channel.size() == Files.size(file(full)) && at + from.remaining() > limit
            && (full.equals("records.bin") || from.capacity() % StoreIndex.ENTRY == 0);
        if (limited && at >= limit) {
          throw new IOException("No space left on device");
        }
        ByteBuffer part = limited ? from.slice(from.position(), (int) (limit - at)) : from;
        int written = channel.write(part, at);
        if (limited) {
          from.position(from.position() + written);
        }
        return written;
      })) {
        IOException error = assertThrows(IOException.class, () -> append(store, 2, 4));
        assertTrue(error.getMessage().endsWith("keeps its 2 records: No space left on device"), error.getMessage());
        assertArrayEquals(values(1), store.read(1));
      }
      assertHolds(2);
    }
    fill(2, 4);
    assertHolds(4);
  }

  @Test
  void onlyOneFillsAStoreAtATimeAndOthersRead() throws IOException {
    fill(0, 2);
    try (EncodingStore writer = EncodingStore.open(cache, CONTENTS);
        EncodingStore other = EncodingStore.open(cache, CONTENTS)) {
      append(writer, 2, 3);
      assertArrayEquals(values(0), other.read(0));
      IOException error = assertThrows(IOException.class, () -> append(other, 3, 4));
      assertTrue(error.getMessage().contains("another process is filling this cache"), error.getMessage());
    }
  }

  @Test
  void recordsBeyondTwoGibibytesAreFound() throws IOException {
    int valuesPerRecord = 1 << 20;
    StoreContents large = new StoreContents("large", Map.of(), valuesPerRecord, Precision.F32);
    int before = 600; // records of 4 MiB, a hole in the file
    float[] last = new float[valuesPerRecord];
    Philox.stream(2, "last", 0).fillGaussian(last);
    try (EncodingStore store = EncodingStore.open(cache, large)) {
      store.append(List.of(key(-1)), List.of(last));
    }
    Path folder = cache.resolve(large.folder());
    int crc = StoreIndex.read(folder.resolve("index.bin")).get(0).crc();
    ByteBuffer entries = ByteBuffer.allocate(StoreIndex.ENTRY * (before + 1));
    for (int i = 0; i <= before; i++) {
      new StoreIndex.Entry(key(i), crc).write(i, entries);
    }
    Files.write(folder.resolve("index.bin"), entries.array());
    try (FileChannel channel = FileChannel.open(folder.resolve("records.bin"), StandardOpenOption.READ,
        StandardOpenOption.WRITE)) {
      ByteBuffer record = ByteBuffer.allocate(4 * valuesPerRecord);
      StoreIndex.readFully(channel, record, 0);
      channel.write(record.flip(), 4L * valuesPerRecord * before);
      assertTrue(channel.size() > 1L << 31);
    }
    try (EncodingStore store = EncodingStore.open(cache, large)) {
      assertEquals(before + 1, store.size());
      assertArrayEquals(last, store.read(store.find(key(before))));
      store.append(List.of(key(before + 1)), List.of(last));
      assertArrayEquals(last, store.read(before + 1));
    }
  }

  @Test
  void halfPrecisionRoundsByItsElevenBitsAndRefusesWhatItCannotHold() throws IOException {
    List<Float> sizes = new ArrayList<>(List.of(1e-3f, 0.7f, -5.3f, 28.25f, -29.9f, 400f));
    ByteBuffer bytes = ByteBuffer.allocate(2 * sizes.size());
    float[] exact = new float[sizes.size()];
    for (int i = 0; i < exact.length; i++) {
      exact[i] = sizes.get(i);
    }
    Precision.F16.write(exact, bytes);
    float[] read = Precision.F16.read(bytes.flip());
    for (int i = 0; i < exact.length; i++) {
      assertEquals(exact[i], read[i], Math.abs(exact[i]) * 0x1p-11f);
    }
    for (float impossible : new float[] {Float.NaN, 70_000f, Float.NEGATIVE_INFINITY}) {
      assertThrows(IOException.class, () -> Precision.F16.write(new float[] {impossible}, ByteBuffer.allocate(2)));
    }
  }
}
