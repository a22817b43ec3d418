package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.diffusionrpo.diffusion.clip.BpeVocabulary.Merge;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
  private static final List<String> CAPTIONS = captions();

  @TempDir Path folder;

  @Test
  void joinsTheMostFrequentPairAndBreaksTiesByTheSmallerIds() {
    // (a, b</w>) 3 times; (c, d</w>) and (b, d</w>) twice each, b before c; (e, f</w>) once only.
    List<String> captions = List.of("ab cd ab", "ab cd bd bd ef");
    assertEquals(List.of(new Merge("a", "b</w>"), new Merge("b", "d</w>"), new Merge("c", "d</w>")),
        merges(BpeTrainer.train(captions, 1000, 16)));
  }

  @Test
  void joinsOverlappingPairsFromTheLeft() {
    assertEquals(List.of(new Merge("a", "a"), new Merge("aa", "a</w>"), new Merge("aa", "aaa</w>")),
        merges(BpeTrainer.train(List.of("aaaaa aaaaa"), 1000, 16)));
  }

  @Test
  void reachesTheSizeAskedForAndPutsTheSpecialTokensLast() {
    ClipTokenizer tokenizer = BpeTrainer.train(CAPTIONS, 560, 24);
    assertEquals(560, tokenizer.vocabularySize());
    assertEquals(558, tokenizer.bosId());
    assertEquals(559, tokenizer.eosId());
    assertEquals(24, tokenizer.maxLength());
    assertEquals(24, tokenizer.encode("a red apple").ids().length);
  }

  @Test
  void givesEveryFrequentWordOneToken() {
    ClipTokenizer tokenizer = BpeTrainer.train(CAPTIONS, 2000, 24);
    assertTrue(tokenizer.vocabularySize() < 2000, "stops when no pair repeats");
    assertEquals(3, tokenizer.contentIds("a red apple").length);
    assertEquals(4, tokenizer.contentIds("a photo of zebras").length);
  }

  @Test
  void spellsWordsItHasNeverSeen() {
    int[] ids = BpeTrainer.train(CAPTIONS, 560, 24).contentIds("Xylophon, 日本 🙂!");
    assertTrue(ids.length > 10);
    for (int id : ids) {
      assertTrue(id < 558, "a special token stands for a word");
    }
  }

  @Test
  void doesNotDependOnTheOrderOfTheCaptions() throws IOException {
    List<String> shuffled = new ArrayList<>(CAPTIONS);
    Collections.shuffle(shuffled, new Random(5));
    BpeTrainer.train(CAPTIONS, 565, 24).save(folder.resolve("one"));
    BpeTrainer.train(shuffled, 565, 24).save(folder.resolve("two"));
    for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
      assertArrayEquals(Files.readAllBytes(folder.resolve("one").resolve(file)),
          Files.readAllBytes(folder.resolve("two").resolve(file)), file);
    }
  }

  @Test
  void isReadBackAsItWas() throws IOException {
    ClipTokenizer trained = BpeTrainer.train(CAPTIONS, 570, 20);
    trained.save(folder);
    ClipTokenizer read = ClipTokenizer.load(folder);
    assertEquals(570, read.vocabularySize());
    assertEquals(20, read.maxLength());
    for (String caption : CAPTIONS) {
      assertArrayEquals(trained.encode(caption).ids(), read.encode(caption).ids(), caption);
    }
    assertEquals("#version: 0.2", Files.readAllLines(folder.resolve("merges.txt")).get(0));
  }

  @Test
  void takesNoSpecialTokenFromACaption() {
    ClipTokenizer tokenizer = BpeTrainer.train(List.of("<|endoftext|> <|endoftext|> <|startoftext|>"), 600, 16);
    assertEquals(514, tokenizer.vocabularySize());
  }

  @Test
  void refusesAVocabularySmallerThanTheBytes() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> BpeTrainer.train(CAPTIONS, 513, 24));
    assertTrue(e.getMessage().contains("at least 514"), e.getMessage());
  }

  private static List<Merge> merges(ClipTokenizer tokenizer) {
    return tokenizer.vocabulary().merges();
  }

  private static List<String> captions() {
    List<String> captions = new ArrayList<>();
    for (String colour : List.of("red", "green", "blue", "yellow", "purple")) {
      for (String thing : List.of("apple", "house", "bicycle", "zebras", "umbrella", "café", "ｈｅａｒｔ")) {
        captions.add("a " + colour + " " + thing);
        captions.add("a photo of " + thing + ", " + colour + "'s favourite");
      }
    }
    return captions;
  }
}
