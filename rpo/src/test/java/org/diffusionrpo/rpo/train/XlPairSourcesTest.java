package org.diffusionrpo.rpo.train;

import static org.diffusionrpo.rpo.train.EncodedPairsAssert.HALF;
import static org.diffusionrpo.rpo.train.EncodedPairsAssert.all;
import static org.diffusionrpo.rpo.train.EncodedPairsAssert.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairSource;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An SDXL's pairs carry pooled embeddings and sizes besides, whatever they come from. */
class XlPairSourcesTest {
  private static final List<String> CAPTIONS = List.of("red cat", "blue dog", "", "cat and dog");

  @TempDir Path cache;
  private final Backend backend = new CpuBackend();
  private StableDiffusion model;
  private Clip clip;
  private PairEncoder encoder;
  private List<PreferencePair> pairs;

  @BeforeEach
  void create() throws IOException {
    model = TinyXlModel.create(backend, true);
    clip = TinyModel.createClip(backend);
    encoder = PairEncoder.of(backend, model, clip);
    pairs = new ArrayList<>();
    for (int i = 0; i < CAPTIONS.size(); i++) { // every picture of another size, wide and high ones
      pairs.add(new PreferencePair(picture(11 + 4 * i, 14), picture(16, 9 + 5 * i), CAPTIONS.get(i), "pair " + i));
    }
  }

  @AfterEach
  void close() {
    clip.close();
    model.close();
    backend.close();
  }

  private static byte[] picture(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    Philox random = Philox.stream(4, width + " x " + height, 0);
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) random.nextInt(256);
    }
    return ImageCodec.encodePng(new RgbImage(width, height, rgb));
  }

  private List<PairBlock> blocks() throws IOException {
    return PairSource.of(pairs).blocks(new LoadReport());
  }

  private EncodedPairs inMemory() throws IOException {
    return encoder.encode(pairs, true, ProgressListener.SILENT).orElseThrow();
  }

  private EncodedPairs cached() throws IOException {
    return PairCache.fill(cache, blocks(), encoder, true, null, new LoadReport(), ProgressListener.SILENT)
        .orElseThrow();
  }

  @Test
  void memoryHoldsWhatTheTextEncodersAndThePicturesSay() throws IOException {
    try (EncodedPairs memory = inMemory()) {
      assertEquals(4, all(memory, false).stream().map(pair -> pair.winner().timeIds()).distinct().count());
      for (EncodedPair pair : all(memory, false)) {
        assertEquals(7, pair.text().pooled().length);
      }
      assertSame(model.promptEncoder(backend).encode("blue dog"), all(memory, false).get(1).text(), 0);
    }
  }

  @Test
  void cacheHoldsWhatMemoryHoldsRoundedToHalves() throws IOException {
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached()) {
      assertSame(all(memory, false), all(cached, false), HALF);
      assertSame(all(memory, true), all(cached, true), HALF);
      assertSame(memory.emptyText(), cached.emptyText(), 0);
      assertEquals(memory.contextShape(), cached.contextShape());
    }
  }

  @Test
  void streamHoldsWhatMemoryHolds() throws IOException {
    try (EncodedPairs memory = inMemory();
        EncodedPairs stream = new StreamedPairs(blocks(), 2, encoder, null, new LoadReport())) {
      assertSame(all(memory, false), all(stream, false), 0);
      assertSame(all(memory, true), all(stream, true), 0);
      assertSame(memory.emptyText(), stream.emptyText(), 0);
    }
  }

  @Test
  void anotherSecondTextEncoderNeverMeetsOldEncodings() throws IOException {
    TextEmbedding before;
    try (EncodedPairs cached = cached()) {
      before = all(cached, false).get(0).text();
    }
    Parameter projection = model.textEncoder2().value().parameters().get("text_projection.weight");
    float[] values = projection.value().toArray();
    values[0] += 0.5f;
    projection.set(backend, values, Storage.F32);
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached()) {
      assertSame(all(memory, false), all(cached, false), HALF);
      TextEmbedding after = all(cached, false).get(0).text();
      assertArrayEquals(before.context(), after.context(), "the projection makes the pooled embedding alone");
      assertNotEquals(before.pooled()[0], after.pooled()[0]);
    }
  }

  @Test
  void aModelWithOneTextEncoderSharesTheFolder() throws IOException {
    cached().close();
    try (StableDiffusion small = TinyModel.create(backend)) {
      PairEncoder of = PairEncoder.of(backend, small, clip);
      try (EncodedPairs memory = of.encode(pairs, ProgressListener.SILENT).orElseThrow();
          EncodedPairs cached = PairCache.fill(cache, blocks(), of, false, null, new LoadReport(),
              ProgressListener.SILENT).orElseThrow()) {
        assertSame(all(memory, false), all(cached, false), HALF);
      }
    }
    try (EncodedPairs memory = inMemory(); EncodedPairs cached = cached()) {
      assertSame(all(memory, true), all(cached, true), HALF);
    }
  }
}
