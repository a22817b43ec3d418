package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTest {
  @TempDir Path folder;

  @Test
  void savedClipLoadsWithTheSameWeightsSettingsAndTokens() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      clip.save(folder, DType.F16);
      try (Clip loaded = Clip.load(folder, backend, Storage.F32)) {
        StableDiffusionTest.assertSameValues(clip.parameters(), loaded.parameters(), DType.F16);
        assertEquals(clip.model().config().json(), loaded.model().config().json());
        assertEquals(clip.preprocessor().json(), loaded.preprocessor().json());
        assertArrayEquals(clip.tokenizer().encode("blue dog").ids(), loaded.tokenizer().encode("blue dog").ids());
        assertEquals(6, loaded.model().value().text().config().projectionDim(), "projection_dim of the whole model");
      }
    }
  }

  @Test
  void textTowerMakesATextEncoder() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend);
        StableDiffusion model = TinyModel.create(backend)) {
      model.textEncoder().value().parameters().copyFrom(clip.parameters(), Storage.F32);
      String name = "text_model.final_layer_norm.weight";
      assertArrayEquals(clip.parameters().get(name).value().toArray(),
          model.textEncoder().value().parameters().get(name).value().toArray());
    }
  }

  @Test
  void wrongFolderIsOneClearError() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      Path missing = folder.resolve("missing");
      String message = assertThrows(IOException.class, () -> Clip.load(missing, backend, Storage.F32)).getMessage();
      assertTrue(message.contains("missing: there is no such CLIP folder"), message);
      clip.save(folder.resolve("clip"), DType.F32);
      Path config = folder.resolve("clip/config.json");
      Files.writeString(config, Files.readString(config).replace("CLIPModel", "SiglipModel"));
      message = assertThrows(IOException.class, () -> Clip.load(folder.resolve("clip"), backend, Storage.F32))
          .getMessage();
      assertTrue(message.contains(config.toString()) && message.contains("SiglipModel"), message);
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "0.48145466 | 0.5 | image_mean",
      "0.27577711 | 0.5 | image_std",
      "\"resample\" : 3 | \"resample\" : 2 | resample",
      "\"do_center_crop\" : true | \"do_center_crop\" : false | do_center_crop",
      "\"shortest_edge\" : | \"shortest_edge\" : 99, \"own\" : | size"})
  void picturesThatAreToBePreparedOtherwiseAreRefused(String usual, String other, String key) throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      clip.save(folder, DType.F32);
      Path file = folder.resolve("preprocessor_config.json");
      String changed = Files.readString(file).replace(usual, other);
      assertNotEquals(changed, Files.readString(file));
      Files.writeString(file, changed);
      String message = assertThrows(IOException.class, () -> Clip.load(folder, backend, Storage.F32)).getMessage();
      assertTrue(message.contains(file.toString()) && message.contains(key), message);
    }
  }

  @Test
  void tokenizerWithAnotherEndOfTextIsRefused() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      ObjectNode json = clip.model().config().json().deepCopy();
      ((ObjectNode) json.get("text_config")).put("vocab_size", 530);
      ModelConfig config = ModelConfig.of("clip", json);
      try (Clip wide = new Clip(new Component<>(Clip.build(config), config), clip.tokenizer(), clip.preprocessor())) {
        wide.parameters().initialize(backend, 1);
        wide.save(folder.resolve("wide"), DType.F32);
      }
      String message = assertThrows(IOException.class,
          () -> Clip.load(folder.resolve("wide"), backend, Storage.F32)).getMessage();
      assertTrue(message.contains("wide") && message.contains("token 522") && message.contains("529"), message);
    }
  }
}
