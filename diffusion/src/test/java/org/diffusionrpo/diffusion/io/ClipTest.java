package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
