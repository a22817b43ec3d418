package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What loading takes beyond the loaded weights, and what it says when that is too much. */
class LoadMemoryTest {
  /**
   * All memory that loading asks for, garbage included, against the final weights. With two buffers of 1 MiB it was
   * 1.12 for the 27 MB of this UNet in half precision, and those in use are smaller; one large copy would show.
   */
  private static final double MOST = 1.15;

  /** About 14 million parameters, mostly convolutions, whose values change places. */
  private static final String UNET = """
      {"_class_name": "UNet2DConditionModel", "block_out_channels": [128, 256], "layers_per_block": 1,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "cross_attention_dim": 768,
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "attention_head_dim": 8}""";

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource(Storage.class)
  void loadingAllocatesHardlyMoreThanTheWeights(Storage storage) throws IOException {
    ComponentFolder folder = save();
    try (Backend backend = new CpuBackend()) {
      load(folder, backend, storage).close(); // classes are loaded and buffers of the reader are there
      Backend fresh = new CpuBackend();
      ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = thread.getCurrentThreadAllocatedBytes();
      try (UNet2DConditionModel unet = load(folder, fresh, storage)) {
        long allocated = thread.getCurrentThreadAllocatedBytes() - before;
        long weights = fresh.memory().liveBytes();
        assertTrue(weights >= unet.parameters().count() * storage.bytes(), "the weights are " + weights + " bytes");
        assertTrue(allocated >= weights && allocated < MOST * weights, allocated + " bytes for weights of " + weights);
      }
    }
  }

  @Test
  void tooLittleMemoryIsOneErrorThatSaysHowMuchIsNeeded() throws IOException {
    ComponentFolder folder = save();
    try (Backend backend = new CpuBackend()) {
      String message = assertThrows(IOException.class, () -> load(folder, full(backend, 20_000_000), Storage.F32))
          .getMessage();
      for (String part : new String[] {"UNet2DConditionModel: too little memory", "weights need 0.05 GiB as f32",
          "heap is at most", "DRPO_HEAP=", "--storage bf16"}) {
        assertTrue(message.contains(part), message);
      }
      assertEquals(0, backend.memory().liveBytes());
    }
  }

  /** A backend whose heap ends after so many bytes. */
  private static Backend full(Backend backend, long bytes) {
    return (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), new Class<?>[] {Backend.class},
        (proxy, method, arguments) -> {
          if (method.getName().equals("empty")
              && backend.memory().liveBytes() + 4L * ((Shape) arguments[0]).size() > bytes) {
            throw new OutOfMemoryError("Java heap space");
          }
          try {
            return method.invoke(backend, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        });
  }

  private ComponentFolder save() throws IOException {
    ComponentFolder folder = ComponentFolder.diffusers(temp.resolve("unet"), "UNet2DConditionModel", null);
    ModelConfig config = ModelConfig.parse("unet", UNET);
    try (Backend backend = new CpuBackend();
        UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(config))) {
      unet.parameters().initialize(backend, 1);
      folder.save(config, unet.parameters(), DType.F16);
    }
    return folder;
  }

  private static UNet2DConditionModel load(ComponentFolder folder, Backend backend, Storage storage)
      throws IOException {
    return folder.load(config -> new UNet2DConditionModel(UNetConfig.from(config)), UNet2DConditionModel::parameters,
        backend, storage).value();
  }
}
