package org.diffusionrpo.rpo.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.diffusionrpo.rpo.eval.Spread;
import org.diffusionrpo.rpo.eval.StyleAlignment;

/** The table of style alignment, the same for every command. */
public final class StyleTable {
  /** Columns of a table without further ones. */
  public static final int COLUMNS = 3;

  private StyleTable() {}

  /** An empty table with a column for each part of a score, and {@code more} to their right. */
  public static ComparisonTable of(String corner, String style, ComparisonTable.Column... more) {
    List<ComparisonTable.Column> columns = new ArrayList<>(List.of(
        new ComparisonTable.Column("Fréchet distance to " + style, ComparisonTable.Sense.LOWER, 3),
        new ComparisonTable.Column("pictures in the style, %", ComparisonTable.Sense.HIGHER, 1),
        new ComparisonTable.Column("CLIP score", ComparisonTable.Sense.HIGHER, 2)));
    columns.addAll(List.of(more));
    return new ComparisonTable(corner, columns);
  }

  /** A row's values from the scores of all seeds, with {@code more} for further columns. */
  public static Spread[] cells(List<StyleAlignment.Score> scores, Spread... more) {
    List<Spread> cells = new ArrayList<>(List.of(
        spread(scores, StyleAlignment.Score::frechet),
        spread(scores, score -> 100 * score.styleShare()),
        spread(scores, StyleAlignment.Score::clipScore)));
    cells.addAll(Arrays.asList(more));
    return cells.toArray(Spread[]::new);
  }

  private static Spread spread(List<StyleAlignment.Score> scores, ToDoubleFunction<StyleAlignment.Score> part) {
    return Spread.of(scores.stream().mapToDouble(part).toArray());
  }
}
