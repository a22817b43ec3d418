package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTokenizerTest {
  private static final int BOS = 49406;
  private static final int EOS = 49407;
  private static final BpeVocabulary CLIP = ClipVocabularyData.vocabulary();
  private static final ClipTokenizer TOKENIZER = new ClipTokenizer(CLIP, TokenizerSettings.clip(77));
  private static final TokenizerSettings SDXL_SECOND = new TokenizerSettings(
      TokenizerSettings.BOS, TokenizerSettings.EOS, TokenizerSettings.EOS, "!", 77, Map.of("!", 0));

  @TempDir Path folder;

  @Test
  void givesOpenAisIdsWithOpenAisCleaning() throws IOException {
    ClipTokenizer openAi = TOKENIZER.withCleaning(TextCleaning.OPENAI);
    int checked = 0;
    for (JsonNode golden : ClipVocabularyData.goldenIds()) {
      String text = golden.path("text").asText();
      assertArrayEquals(ints(golden.path("ids")), openAi.contentIds(text), text);
      TokenIds encoded = openAi.encode(text);
      assertArrayEquals(ints(golden.path("truncated77")), encoded.unpadded(), text);
      assertEquals(golden.path("ids").size() > 75, encoded.truncated(), text);
      checked++;
    }
    assertEquals(240, checked);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      ''                                | ''
      a photo of a cat                  | 320 1125 539 320 2368
      hello world!!                     | 3306 1002 748
      it's 2024, don't panic            | 585 568 273 271 273 275 267 847 713 14124
      Café déjà vu                      | 15304 25466 73 21259 13230
      '  multiple   spaces  and  tabs ' | 6470 9006 537 29163
      A photo of an astronaut riding a horse on mars. | 320 1125 539 550 18376 6765 320 4558 525 7496 269
      (masterpiece:1.2), best-quality, 8k uhd         | 263 12066 281 272 269 273 2361 949 268 3027 267 279 330 84 4414
      🙂                                | 14860
      a/b_c-d                           | 320 270 321 318 322 268 323
      fantastic, increadible prompt     | 2935 267 1870 2486 1059 20198
      """)
  void cleansOrdinaryPromptsTheSameWayInBothModes(String text, String ids) {
    int[] expected = Arrays.stream(ids.split(" ")).filter(s -> !s.isEmpty()).mapToInt(Integer::parseInt).toArray();
    assertArrayEquals(expected, TOKENIZER.contentIds(text), text);
    assertArrayEquals(expected, TOKENIZER.withCleaning(TextCleaning.OPENAI).contentIds(text), text);
  }

  @Test
  void splitsAtLineBreaksAndTabs() {
    assertArrayEquals(new int[] {6470, 9006, 537, 29163}, TOKENIZER.contentIds("  multiple   spaces\n and\ttabs "));
  }

  @Test
  void knowsItsSpecialTokensInText() {
    int[] expected = {320, EOS, 321};
    assertArrayEquals(expected, TOKENIZER.contentIds("a <|endoftext|> b"));
    assertArrayEquals(expected, TOKENIZER.withAddedTokens(false).contentIds("a <|EndOfText|> b"));
  }

  @Test
  void hasTheIdsOfThePublishedVocabulary() {
    assertEquals(49408, TOKENIZER.vocabularySize());
    assertEquals(BOS, TOKENIZER.bosId());
    assertEquals(EOS, TOKENIZER.eosId());
    assertEquals(0, CLIP.id("!"));
    assertEquals(64, CLIP.id("a"));
    assertEquals(256, CLIP.id("!</w>"));
    assertEquals(320, CLIP.id("a</w>"));
    assertEquals(512, CLIP.id("in"));
    assertEquals(513, CLIP.id("th"));
    assertEquals(49405, CLIP.id("jekyll</w>"));
    assertEquals(188, CLIP.id("\u0100"));
    assertEquals("\u0120", ByteSymbols.of(' '));
  }

  @Test
  void padsToTheContextWithThePadToken() {
    int[] expected = new int[77];
    Arrays.fill(expected, EOS);
    expected[0] = BOS;
    expected[1] = 320;
    TokenIds encoded = TOKENIZER.encode("a");
    assertArrayEquals(expected, encoded.ids());
    assertEquals(3, encoded.length());
    Arrays.fill(expected, 3, 77, 0);
    assertArrayEquals(expected, new ClipTokenizer(CLIP, SDXL_SECOND).encode("a").ids());
  }

  @Test
  void cutsContentAtTheContextAndSaysSo() {
    TokenIds fits = TOKENIZER.encode("a ".repeat(75));
    assertFalse(fits.truncated());
    assertEquals(77, fits.length());
    TokenIds cut = TOKENIZER.encode("a ".repeat(76));
    assertTrue(cut.truncated());
    assertArrayEquals(fits.ids(), cut.ids());
    assertEquals(EOS, cut.ids()[76]);
  }

  @Test
  void laysABatchOutRowByRow() {
    int[] ids = TOKENIZER.encodeBatch(List.of("a cat", "a"));
    assertEquals(2 * 77, ids.length);
    assertArrayEquals(TOKENIZER.encode("a").ids(), Arrays.copyOfRange(ids, 77, 154));
  }

  @Test
  void splitsTheAddedExclamationMarkOffOnlyWhereAsked() {
    ClipTokenizer second = new ClipTokenizer(CLIP, SDXL_SECOND);
    assertArrayEquals(new int[] {3306, 1002, 0, 0}, second.contentIds("hello world!!"));
    assertArrayEquals(new int[] {3306, 1002, 748}, second.withAddedTokens(false).contentIds("hello world!!"));
  }

  @Test
  void readsBackWhatItWrites() throws IOException {
    new ClipTokenizer(CLIP, SDXL_SECOND).save(folder);
    ClipTokenizer read = ClipTokenizer.load(folder);
    assertArrayEquals(new int[] {3306, 1002, 0, 0}, read.contentIds("hello world!!"));
    assertEquals(0, read.padId());
    assertEquals(77, read.maxLength());
    assertEquals(49408, read.vocabularySize());
    ClipTokenizer openAi = read.withAddedTokens(false).withCleaning(TextCleaning.OPENAI);
    for (JsonNode golden : ClipVocabularyData.goldenIds()) {
      String text = golden.path("text").asText();
      assertArrayEquals(ints(golden.path("ids")), openAi.contentIds(text), text);
    }
  }

  @Test
  void takesThePadTokenFromWhicheverFileNamesIt() throws IOException {
    TOKENIZER.save(folder);
    Files.delete(folder.resolve("tokenizer_config.json"));
    Files.writeString(folder.resolve("special_tokens_map.json"), "{\"pad_token\": {\"content\": \"!\"}}");
    ClipTokenizer read = ClipTokenizer.load(folder);
    assertEquals(0, read.padId());
    assertEquals(EOS, read.eosId());
    assertArrayEquals(new int[] {320, 0}, read.contentIds("a!"), "a special pad token is split off as well");
    Files.delete(folder.resolve("special_tokens_map.json"));
    assertEquals(EOS, ClipTokenizer.load(folder).padId());
  }

  @Test
  void readsAnAddedTokenBeyondTheVocabularyAndAnEndlessContext() throws IOException {
    TOKENIZER.save(folder);
    Files.writeString(folder.resolve("tokenizer_config.json"), """
        {"model_max_length": 1000000000000000019884624838656,
         "added_tokens_decoder": {"49408": {"content": "<toy>", "special": false}}}""");
    ClipTokenizer read = ClipTokenizer.load(folder);
    assertArrayEquals(new int[] {320, 49408, 2368}, read.contentIds("a<toy> cat"));
    assertEquals(49409, read.vocabularySize());
    assertEquals(77, read.maxLength());
  }

  @Test
  void namesTheFileAndTheFault() throws IOException {
    assertMessage("vocab.json");
    TOKENIZER.save(folder);
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"pad_token\": \"<pad>\"}");
    assertMessage("pad_token '<pad>'");
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": 2}");
    assertMessage("tokenizer_config.json: model_max_length 2");
    Files.writeString(folder.resolve("tokenizer_config.json"), "[]");
    assertMessage("tokenizer_config.json: expected a JSON object");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\ni n\nthe\n");
    assertMessage("merges.txt, line 3: expected two symbols");
    Files.writeString(folder.resolve("merges.txt"), "i n\nab qqqq\n");
    assertMessage("merges.txt: the merge 'ab qqqq' needs the token 'qqqq'");
    Files.writeString(folder.resolve("vocab.json"), "{\"a\": \"x\"}");
    assertMessage("vocab.json: expected one JSON object");
  }

  private void assertMessage(String part) {
    IOException e = assertThrows(IOException.class, () -> ClipTokenizer.load(folder));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
