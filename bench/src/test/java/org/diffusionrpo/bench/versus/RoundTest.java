package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.bench.versus.Round.Measurement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RoundTest {
  private static final Row PRODUCT = Rows.named("gemm NT 16x16x16");

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"OURS", "OPENBLAS"})
  void aProcessMeasuresTimeAndMemory(Side side) throws IOException, InterruptedException {
    Measurement measured = round(List.of()).play(side, PRODUCT);
    assertTrue(measured.seconds() > 0 && measured.seconds() < 60, measured::toString);
    assertTrue(measured.peakBytes() == 0 || measured.peakBytes() > 1 << 20, measured::toString);
  }

  @Test
  void aFailedProcessIsNamed() {
    IOException e = assertThrows(IOException.class, () -> round(List.of("false")).play(Side.OURS, PRODUCT));
    assertEquals("ours, gemm NT 16x16x16: ended with status 1", e.getMessage());
  }

  @Test
  void withoutItsProfileLibtorchIsRefused() {
    IOException e = assertThrows(IOException.class, () -> Libtorch.unpack(folder, List.of("other.jar")));
    assertTrue(e.getMessage().contains("-Poracle"), e.getMessage());
  }

  private Round round(List<String> prefix) {
    return new Round(new Round.Options(0, 1, prefix, folder));
  }
}
