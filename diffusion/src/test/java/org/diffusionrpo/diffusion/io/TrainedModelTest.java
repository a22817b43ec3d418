package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training leaves untouched, and what encoding leaves unread. */
class TrainedModelTest {
  private static final LoadOptions ROUNDED = new LoadOptions(Storage.F32, Storage.BF16, false);
  private static final List<String> FROZEN = List.of("vae/diffusion_pytorch_model", "text_encoder/model",
      "text_encoder_2/model");

  @TempDir Path folder;
  private final Backend backend = new CpuBackend();

  @AfterEach
  void close() {
    backend.close();
  }

  private Path saveXl() throws IOException {
    Path path = folder.resolve("xl");
    try (StableDiffusion model = TinyXlModel.create(backend, true)) {
      model.save(path, DType.F32);
    }
    return path;
  }

  private Path saveTrained(ModelSource source) throws IOException {
    Path out = folder.resolve("trained");
    try (StableDiffusion model = StableDiffusion.load(source, backend, ROUNDED)) {
      model.saveTrained(out, source, DType.F16, parameter -> parameter.value().toArray());
    }
    return out;
  }

  private static byte[] bytes(Path model, String network) throws IOException {
    return Files.readAllBytes(model.resolve(network + ".safetensors"));
  }

  @Test
  void frozenPartsKeepEveryByteHoweverTheyAreStored() throws IOException {
    Path model = saveXl();
    Path trained = saveTrained(ModelFolder.open(model));
    for (String network : FROZEN) {
      assertArrayEquals(bytes(model, network), bytes(trained, network), network);
    }
    try (SafetensorsFile unet =
        SafetensorsFile.open(trained.resolve("unet/diffusion_pytorch_model.safetensors"))) {
      assertTrue(unet.names().stream().allMatch(name -> unet.info(name).dtype() == DType.F16));
    }
  }

  @Test
  void thoseOfAVariantAreSavedUnderThePlainNames() throws IOException {
    Path model = saveXl();
    byte[] vae = bytes(model, FROZEN.get(0));
    Files.move(model.resolve(FROZEN.get(0) + ".safetensors"), model.resolve(FROZEN.get(0) + ".fp16.safetensors"));
    assertArrayEquals(vae, bytes(saveTrained(ModelFolder.open(model).withVariant("fp16")), FROZEN.get(0)));
  }

  @Test
  void thoseOfASingleFileKeepTheirNumbersAndTypes() throws IOException {
    Path model = folder.resolve("sd");
    Path file = folder.resolve("sd.safetensors");
    try (StableDiffusion made = TinyModel.create(backend)) {
      made.save(model, DType.F32);
      OriginalFile.of(made).write(file, DType.F32);
    }
    Path trained = saveTrained(new ModelLocation(file, null, null, null, model, null).open());
    for (String network : FROZEN.subList(0, 2)) {
      assertArrayEquals(bytes(model, network), bytes(trained, network), network);
    }
  }

  @Test
  void encodersAreLoadedWithoutTheWeightsOfTheUNet() throws IOException {
    Path path = saveXl();
    try (StableDiffusion model = StableDiffusion.loadEncoders(ModelFolder.open(path), backend, Storage.F32);
        StableDiffusion whole = StableDiffusion.load(path, backend, LoadOptions.F32)) {
      assertTrue(model.unet().value().parameters().all().stream().noneMatch(Parameter::hasValue));
      assertEquals(whole.unet().value().config(), model.unet().value().config());
      assertArrayEquals(whole.promptEncoder(backend).encode("red cat").pooled(),
          model.promptEncoder(backend).encode("red cat").pooled());
      assertFalse(model.vae().value().parameters().all().isEmpty());
      for (Parameter parameter : model.vae().value().parameters().all()) {
        assertArrayEquals(whole.vae().value().parameters().get(parameter.name()).value().toArray(),
            parameter.value().toArray());
      }
    }
  }
}
