package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowsTest {
  private static final List<Row> ALL = Rows.matching(Pattern.compile(""));

  @Test
  void everyRowIsFoundByItsName() {
    for (Row row : ALL) {
      assertEquals(row, Rows.named(row.name()));
    }
    assertEquals(ALL.size(), new HashSet<>(ALL).size());
  }

  @Test
  void aPatternIsLookedForInTheNames() {
    assertEquals(List.of("layer_norm [2,4096,320] forward", "layer_norm [2,4096,320] backward"),
        Rows.matching(Pattern.compile("layer_norm")).stream().map(Row::name).toList());
  }

  @Test
  void productsMayHaveAnySize() {
    assertEquals(new Row.Gemm(Form.TN, 5, 6, 7), Rows.named("gemm TN 5x6x7"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemm TT 5x6x7", "gemm NT 5x6", "gemm NT 0x6x7", "conv", "gemm NT 5x6x7 forward"})
  void anUnknownNameIsRefused(String name) {
    assertThrows(IllegalArgumentException.class, () -> Rows.named(name));
  }
}
