package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import java.util.stream.Stream;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OurWorkerTest {
  /** Every kind of row at a small size; the operations refuse wrong shapes. */
  static Stream<Row> smallRows() {
    Stream<Row> products = Stream.of(Form.values()).map(form -> new Row.Gemm(form, 3, 5, 7));
    Stream<Row> operations = Stream.of(Pass.values()).flatMap(pass -> Stream.of(
        new Row.Convolution(pass, 3, 2, 3, 5, 4), new Row.Convolution(pass, 1, 2, 3, 5, 4),
        new Row.Attention(pass, 2, 2, 6, 4, 8), new Row.GroupNormSilu(pass, 2, 64, 3), new Row.LayerNorm(pass, 2, 3, 8),
        new Row.Geglu(pass, 2, 3, 8)));
    return Stream.of(products, operations).flatMap(rows -> rows);
  }

  @ParameterizedTest
  @MethodSource("smallRows")
  void everyRowCanBeRepeated(Row row) {
    Runnable run = row.prepare(new OurWorker(new CpuBackend()));
    assertDoesNotThrow(run::run);
    assertDoesNotThrow(run::run);
  }
}
