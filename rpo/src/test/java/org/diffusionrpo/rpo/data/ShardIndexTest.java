package org.diffusionrpo.rpo.data;

import static org.diffusionrpo.rpo.data.TestPairs.read;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Row groups as blocks that are numbered by their labels. */
class ShardIndexTest {
  private static final int ROWS = 11;

  @TempDir Path folder;
  private Path data;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    data = Files.createDirectories(folder.resolve("data"));
    file = Shards.write(data.resolve("a.parquet"), 0, ROWS);
  }

  private List<PairBlock> blocks(LoadReport report) throws IOException {
    return PairSource.open(data).blocks(report);
  }

  @Test
  void labelsNumberThePairsBeforeAnyPictureIsRead() throws IOException {
    LoadReport report = new LoadReport();
    List<PairBlock> blocks = blocks(report);
    assertEquals(List.of(4, 3, 2), blocks.stream().map(PairBlock::size).toList(), "rows 4 and 9 are ties");
    assertEquals(2, report.ties());
    PreferencePair pair = (PreferencePair) blocks.get(1).read().get(1);
    assertEquals("a.parquet#6", pair.id());
    assertEquals("red dog", pair.caption());
    assertArrayEquals(Shards.picture("winner", 6), pair.winner());
    assertArrayEquals(Shards.picture("winner", 8), ((PreferencePair) blocks.get(2).read().get(0)).winner());
  }

  @Test
  void aLimitTakesTheFirstEntries() throws IOException {
    List<PairBlock> blocks = PairSource.first(blocks(new LoadReport()), 5);
    assertEquals(List.of(4, 1), blocks.stream().map(PairBlock::size).toList());
    assertEquals("a.parquet#5", ((PreferencePair) blocks.get(1).read().get(0)).id());
    assertEquals(1, blocks.get(1).read().size());
  }

  @Test
  void labelsTurnedInPlaceAreAnotherIdentity() throws IOException {
    Shards.writeUncompressed(file, 0, ROWS, false);
    List<PairBlock> before = blocks(new LoadReport());
    Shards.turnLabels(file, 0, ROWS);
    List<PairBlock> after = blocks(new LoadReport());
    for (int i = 0; i < before.size(); i++) {
      assertNotEquals(before.get(i).identity(), after.get(i).identity());
    }
    PreferencePair pair = (PreferencePair) after.get(1).read().get(1);
    assertArrayEquals(Shards.picture("loser", 6), pair.winner());
    FileTime time = Files.getLastModifiedTime(file);
    Files.setLastModifiedTime(Shards.writeUncompressed(file, 0, ROWS, false), time);
    assertEquals(identities(before), identities(blocks(new LoadReport())), "the same content and time again");
  }

  @Test
  void captionsEditedInPlaceAreAnotherIdentity() throws IOException {
    List<PairBlock> before = blocks(new LoadReport());
    FileTime time = Files.getLastModifiedTime(file);
    byte[] bytes = Files.readAllBytes(file);
    bytes[indexOf(bytes, "red cat".getBytes(StandardCharsets.US_ASCII))] = 'R';
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, time);
    assertNotEquals(identities(before), identities(blocks(new LoadReport())));
  }

  private static List<String> identities(List<PairBlock> blocks) {
    return blocks.stream().map(PairBlock::identity).toList();
  }

  @Test
  void anIdentityDependsOnWhichPicturesWin() throws IOException {
    RowGroupBlock block = (RowGroupBlock) blocks(new LoadReport()).get(0);
    List<RowGroupBlock.Row> rows = new ArrayList<>(block.rows());
    rows.set(2, new RowGroupBlock.Row(rows.get(2).number(), !rows.get(2).firstWins()));
    assertNotEquals(block.identity(), new RowGroupBlock(file, block.columns(), block.shard(), block.group(),
        block.firstRow(), rows, block.bytes()).identity());
  }

  @Test
  void aChangedShardHasAnotherIdentity() throws IOException {
    String before = blocks(new LoadReport()).get(0).identity();
    Shards.write(file, 0, ROWS + 1);
    assertNotEquals(before, blocks(new LoadReport()).get(0).identity());
  }

  @Test
  void aCorruptPageIsOneErrorAndOtherRowGroupsAreStillRead() throws IOException {
    List<PairBlock> blocks = blocks(new LoadReport());
    byte[] bytes = Files.readAllBytes(file);
    byte[] picture = Shards.picture("loser", 6);
    int at = indexOf(bytes, Arrays.copyOfRange(picture, 60, 90));
    bytes[at] ^= 1; // the page's checksum does not hold any more
    FileTime time = Files.getLastModifiedTime(file);
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, time);
    assertEquals(4, blocks.get(0).read().size());
    IOException error = assertThrows(IOException.class, () -> blocks.get(1).read());
    assertTrue(error.getMessage().startsWith(file + ": not a readable Parquet file"), error.getMessage());
    assertThrows(IOException.class, () -> read(data, new LoadReport()));
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int i = 0; i <= bytes.length - part.length; i++) {
      if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    throw new AssertionError("the picture is not stored as it is");
  }

  @Test
  void readingAheadKeepsTheOrderAndPassesFaultsOn() throws IOException {
    Shards.write(data.resolve("b.parquet"), ROWS, 30);
    List<PairBlock> blocks = blocks(new LoadReport());
    List<String> expected = new ArrayList<>();
    for (PairBlock block : blocks) {
      block.read().forEach(entry -> expected.add(((PreferencePair) entry).id()));
    }
    assertEquals(expected, read(data, new LoadReport()).stream().map(PreferencePair::id).toList());
    try (PairReader<Object> reader = new PairReader<>(blocks, entry -> {
      throw new IllegalStateException("work");
    })) {
      assertTrue(reader.hasNext());
      assertEquals("work", assertThrows(IllegalStateException.class, reader::next).getMessage());
    }
  }
}
