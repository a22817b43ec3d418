package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StableDiffusionXlTest {
  @TempDir Path folder;
  private final Backend backend = new CpuBackend();
  private Path path;

  @BeforeEach
  void save() throws IOException {
    path = folder.resolve("model");
    try (StableDiffusion model = TinyXlModel.create(backend, true)) {
      model.save(path, DType.F16);
    }
  }

  @AfterEach
  void nothingIsLeftInMemory() {
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @Test
  void savedModelHasAllPartsAndSavesAgainToTheSameBytes() throws IOException {
    Path copy = folder.resolve("copy");
    try (StableDiffusion loaded = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      assertTrue(loaded.isXl());
      assertEquals(SamplerKind.EULER, SamplerKind.of(loaded.scheduler().value()));
      assertEquals(loaded.tokenizer().eosId(), loaded.tokenizer().padId());
      assertEquals(0, loaded.tokenizer2().padId(), "the second tokenizer pads with !");
      loaded.save(copy, DType.F16);
    }
    List<String> files = files(path);
    assertEquals(files, files(copy));
    assertTrue(files.containsAll(List.of("text_encoder_2/model.safetensors", "tokenizer_2/vocab.json")), files + "");
    for (String file : files) {
      assertArrayEquals(Files.readAllBytes(path.resolve(file)), Files.readAllBytes(copy.resolve(file)), file);
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "unet/config.json | : 20 | : 12 | unet | instead of",
      "unet/config.json | : 31 | : 30 | unet | instead of",
      "text_encoder_2/config.json | : 7 | : 6 | text_encoder_2 | instead of",
      "text_encoder_2/config.json | WithProjection | '' | text_encoder_2/config.json | CLIPTextModelWithProjection",
      "tokenizer_2/tokenizer_config.json | : 9 | : 8 | tokenizer's model_max_length is 9 | tokenizer_2's 8",
      "tokenizer_2/tokenizer_config.json | : 9 | : 10 | tokenizer_2's model_max_length is 10 | text_encoder_2's"})
  void damagedPartIsOneErrorThatNamesIt(String file, String from, String to, String first, String second)
      throws IOException {
    edit(file, from, to);
    assertRefused(first, second);
  }

  @Test
  void partsThatDoNotFitAreOneError() throws IOException {
    try (StableDiffusion xl = TinyXlModel.create(backend, true); StableDiffusion tiny = TinyModel.create(backend)) {
      assertUnfit(() -> new StableDiffusion(xl.index(), xl.unet(), xl.vae(), xl.textEncoder(), xl.tokenizer(),
          xl.textEncoder2(), null, xl.scheduler(), null), "text_encoder_2", "tokenizer_2", "only one");
      assertUnfit(() -> new StableDiffusion(xl.index(), xl.unet(), xl.vae(), xl.textEncoder(), xl.tokenizer(),
          xl.scheduler(), null), "cross_attention_dim is 20", "hidden_size 12");
      assertUnfit(() -> xl.withUNet(tiny.unet()), "cross_attention_dim is 12", "together 20");
      assertUnfit(() -> tiny.withUNet(xl.unet()), "cross_attention_dim is 20", "hidden_size 12");
    }
  }

  @ParameterizedTest
  @CsvSource({"text_encoder_2", "tokenizer_2"})
  void secondTextEncoderAndItsTokenizerComeTogether(String missing) throws IOException {
    String index = Files.readString(path.resolve("model_index.json"));
    Files.writeString(path.resolve("model_index.json"), index.replace("\"" + missing + "\"", "\"other\""));
    assertRefused("incomplete", missing + " (not in model_index.json)");
  }

  private void assertRefused(String... parts) {
    assertMessage(assertThrows(IOException.class, () -> StableDiffusion.load(path, backend, LoadOptions.F32)), parts);
  }

  private static void assertUnfit(Runnable make, String... parts) {
    assertMessage(assertThrows(IllegalArgumentException.class, make::run), parts);
  }

  private static void assertMessage(Exception exception, String... parts) {
    for (String part : parts) {
      assertTrue(exception.getMessage().contains(part), exception.getMessage());
    }
    assertFalse(exception.getMessage().contains("\n"), exception.getMessage());
  }

  private void edit(String file, String from, String to) throws IOException {
    String text = Files.readString(path.resolve(file)).replace(" :", ":");
    assertTrue(text.contains(from), text);
    Files.writeString(path.resolve(file), text.replaceFirst(Pattern.quote(from), to));
  }

  private static List<String> files(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(Files::isRegularFile).map(file -> root.relativize(file).toString()).sorted().toList();
    }
  }
}
