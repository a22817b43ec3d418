package org.diffusionrpo.rpo.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.diffusionrpo.rpo.eval.Spread;

/**
 * Methods against measures, each cell mean ± standard deviation over seeds. Renders as plain text, Markdown and HTML;
 * the best mean of a column is marked.
 */
public final class ComparisonTable {
  /** Which way is better. */
  public enum Sense { HIGHER, LOWER, NONE }

  /** A measure; {@code decimals} after the point. */
  public record Column(String name, Sense sense, int decimals) {
    String heading() {
      return name + switch (sense) {
        case HIGHER -> " ↑";
        case LOWER -> " ↓";
        case NONE -> "";
      };
    }
  }

  private record Cell(String text, boolean best) {}

  private final String corner;
  private final List<Column> columns;
  private final Map<String, Spread[]> rows = new LinkedHashMap<>();

  /** An empty table; {@code corner} heads the column of row names. */
  public ComparisonTable(String corner, List<Column> columns) {
    this.corner = corner;
    this.columns = List.copyOf(columns);
  }

  /** Adds a row with one value per column; null leaves a cell empty. */
  public ComparisonTable row(String name, Spread... values) {
    if (values.length != columns.size()) {
      throw new IllegalArgumentException(
          "row '" + name + "' has " + values.length + " values for " + columns.size() + " columns");
    }
    rows.put(name, values.clone());
    return this;
  }

  /** Aligned columns for a terminal; the best value carries a star. */
  public String toText() {
    List<List<String>> grid = grid(cell -> cell.best() ? cell.text() + " *" : cell.text() + "  ");
    int[] widths = new int[columns.size() + 1];
    grid.forEach(row -> Arrays.setAll(widths, c -> Math.max(widths[c], row.get(c).length())));
    return grid.stream().map(row -> {
      StringBuilder line = new StringBuilder(row.get(0)).append(" ".repeat(widths[0] - row.get(0).length()));
      for (int c = 1; c < widths.length; c++) {
        line.append("  ").append(" ".repeat(widths[c] - row.get(c).length())).append(row.get(c));
      }
      return line.toString().stripTrailing() + "\n";
    }).collect(Collectors.joining());
  }

  /** A Markdown table; the best value is bold. */
  public String toMarkdown() {
    List<List<String>> grid = grid(cell -> cell.best() ? "**" + cell.text() + "**" : cell.text());
    List<String> lines = new ArrayList<>(grid.stream().map(row -> "| " + String.join(" | ", row) + " |").toList());
    lines.add(1, "|---" + "|--:".repeat(columns.size()) + "|");
    return String.join("\n", lines) + "\n";
  }

  /** An HTML table; the best value has class {@code best}. */
  public String toHtml() {
    StringBuilder html = new StringBuilder("<table class=\"numbers\"><thead><tr><th>").append(Html.escape(corner));
    columns.forEach(column -> html.append("</th><th>").append(Html.escape(column.heading())));
    html.append("</th></tr></thead><tbody>");
    rows.forEach((name, values) -> {
      html.append("<tr><th>").append(Html.escape(name)).append("</th>");
      for (Cell cell : cells(values)) {
        html.append(cell.best() ? "<td class=\"best\">" : "<td>").append(Html.escape(cell.text())).append("</td>");
      }
      html.append("</tr>");
    });
    return html.append("</tbody></table>").toString();
  }

  private List<List<String>> grid(Function<Cell, String> style) {
    List<List<String>> grid = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of(corner));
    columns.forEach(column -> head.add(style.apply(new Cell(column.heading(), false))));
    grid.add(head);
    rows.forEach((name, values) -> {
      List<String> row = new ArrayList<>(List.of(name));
      cells(values).forEach(cell -> row.add(style.apply(cell)));
      grid.add(row);
    });
    return grid;
  }

  private List<Cell> cells(Spread[] values) {
    List<Cell> cells = new ArrayList<>();
    for (int c = 0; c < values.length; c++) {
      Column column = columns.get(c);
      String text = values[c] == null ? "–" : values[c].format(column.decimals());
      cells.add(new Cell(text, values[c] != null && isBest(c, values[c].mean())));
    }
    return cells;
  }

  /** Best of at least two values. */
  private boolean isBest(int c, double value) {
    double sign = switch (columns.get(c).sense()) {
      case HIGHER -> 1;
      case LOWER -> -1;
      case NONE -> Double.NaN;
    };
    double[] others = rows.values().stream().filter(row -> row[c] != null).mapToDouble(row -> row[c].mean()).toArray();
    return others.length > 1 && Arrays.stream(others).allMatch(other -> sign * value >= sign * other);
  }
}
