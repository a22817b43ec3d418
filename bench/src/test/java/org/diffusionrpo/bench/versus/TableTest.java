package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.diffusionrpo.bench.versus.Round.Measurement;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final long GIB = 1L << 30;

  private final Table table = new Table(List.of(Side.OURS, Side.TUNED));

  @Test
  void mediansSpreadRatioAndRateStandInOneLine() {
    String line = table.line(Rows.named("gemm NT 1000x1000x1000"), Map.of(
        Side.OURS, List.of(measured(0.020), measured(0.030), measured(0.018)),
        Side.TUNED, List.of(measured(0.010), measured(0.010), measured(0.010))));
    assertEquals("gemm NT 1000x1000x1000 20.00 ±30% 10.00 ± 0% 2.000 100", line.replaceAll(" {2,}", " "));
  }

  @Test
  void theFooterHasTheGeometricMeanAndTheMemoryOfNetworks() {
    table.line(Rows.named("rpo step 16 pairs"),
        Map.of(Side.OURS, List.of(measured(2)), Side.TUNED, List.of(measured(1))));
    table.line(Rows.named("gemm NT 1x1x1"),
        Map.of(Side.OURS, List.of(measured(1)), Side.TUNED, List.of(measured(2))));
    List<String> footer = table.footer();
    assertEquals("geometric mean of the 2 ratios 1.000", footer.get(0));
    assertTrue(footer.get(3).matches("rpo step 16 pairs +1\\.00 +1\\.00"), footer::toString);
  }

  @Test
  void aSideThatCannotMakeTheRowLeavesItsPlaceEmpty() {
    String line = table.line(Rows.named("unet sd15 forward+backward 2x64x64 checkpointing"),
        Map.of(Side.OURS, List.of(measured(2))));
    assertTrue(line.matches("unet .* checkpointing +2000\\.00 ± 0% +- +-"), line);
  }

  private static Measurement measured(double seconds) {
    return new Measurement(seconds, GIB);
  }
}
