package org.diffusionrpo.rpo.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.diffusionrpo.rpo.eval.Spread;
import org.diffusionrpo.rpo.report.ComparisonTable.Column;
import org.diffusionrpo.rpo.report.ComparisonTable.Sense;
import org.junit.jupiter.api.Test;

class ComparisonTableTest {
  private final ComparisonTable table = new ComparisonTable("method", List.of(
      new Column("style", Sense.HIGHER, 1), new Column("distance", Sense.LOWER, 2), new Column("n", Sense.NONE, 0)))
      .row("base", Spread.of(10, 12), Spread.of(0.5), Spread.of(3))
      .row("<rpo>", Spread.of(80, 90), Spread.of(0.25), null);

  @Test
  void textColumnsAlignAndTheBestValueCarriesAStar() {
    assertEquals("""
        method     style ↑    distance ↓    n
        base    11.0 ± 1.4          0.50    3
        <rpo>   85.0 ± 7.1 *        0.25 *  –
        """, table.toText());
  }

  @Test
  void markdownMarksTheBestValueBold() {
    assertEquals("""
        | method | style ↑ | distance ↓ | n |
        |---|--:|--:|--:|
        | base | 11.0 ± 1.4 | 0.50 | 3 |
        | <rpo> | **85.0 ± 7.1** | **0.25** | – |
        """, table.toMarkdown());
  }

  @Test
  void htmlIsEscaped() {
    assertTrue(table.toHtml().contains("<th>&lt;rpo&gt;</th><td class=\"best\">85.0 ± 7.1</td>"), table.toHtml());
  }

  @Test
  void aRowOfAnotherLengthIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> table.row("sft", Spread.of(1)));
  }
}
