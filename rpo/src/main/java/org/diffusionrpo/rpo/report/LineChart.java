package org.diffusionrpo.rpo.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Curves as inline SVG. Colours are CSS variables ({@code --s1}, {@code --s2}, ... for the series), so the page decides
 * about light and dark.
 *
 * @param marks horizontal lines with a name, such as the value that means "nothing learned yet"
 * @param noisy draws each curve faintly as measured and strongly as local trend; otherwise as it is
 */
public record LineChart(String title, String xLabel, List<Series> series, List<Mark> marks, boolean noisy) {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 260;
  private static final int LEFT = 62;
  private static final int RIGHT = 14;
  private static final int TOP = 34;
  private static final int BOTTOM = 40;
  private static final int BUCKETS = 400;

  /** The trend is taken over about this part of a curve. */
  private static final int SMOOTH_PARTS = 20;

  /** Share of points at either end that may leave the frame, so that one spike does not flatten the rest. */
  private static final double OUTLIERS = 0.01;

  /** A named horizontal line. */
  public record Mark(String name, double y) {}

  /** True when no series has a finite point. */
  public boolean isEmpty() {
    return series.stream().allMatch(s -> s.finite().x().length == 0);
  }

  /** The SVG element. */
  public String svg() {
    List<Series> raw = series.stream().map(Series::finite).filter(s -> s.x().length > 0).toList();
    List<Series> smooth = raw.stream().map(s -> noisy ? s.smoothed(s.x().length / SMOOTH_PARTS / 2) : s).toList();
    if (raw.isEmpty()) {
      throw new IllegalArgumentException("chart '" + title + "' has no finite point");
    }
    Axis x = Axis.covering(raw.stream().mapToDouble(s -> s.x()[0]).min().orElseThrow(),
        raw.stream().mapToDouble(s -> s.x()[s.x().length - 1]).max().orElseThrow(), 6);
    Axis y = vertical(raw, smooth);
    StringBuilder svg = new StringBuilder();
    svg.append(format("<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", WIDTH, HEIGHT,
        Html.escape(title)));
    frame(svg, x, y);
    svg.append(format("<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">", LEFT, TOP, WIDTH - LEFT - RIGHT,
        HEIGHT - TOP - BOTTOM)); // a nested svg clips what leaves the frame
    for (int k = 0; k < raw.size(); k++) {
      if (smooth.get(k) != raw.get(k)) {
        polyline(svg, raw.get(k).thinned(BUCKETS), x, y, "raw s" + (k + 1));
      }
      polyline(svg, smooth.get(k).thinned(BUCKETS), x, y, "line s" + (k + 1));
    }
    svg.append("</svg>");
    legend(svg, raw);
    return svg.append("</svg>").toString();
  }

  private Axis vertical(List<Series> raw, List<Series> smooth) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < raw.size(); k++) {
      double[] sorted = raw.get(k).y().clone();
      Arrays.sort(sorted);
      int cut = (int) (OUTLIERS * sorted.length);
      low = Math.min(low, Math.min(sorted[cut], Arrays.stream(smooth.get(k).y()).min().orElseThrow()));
      high = Math.max(high, Math.max(sorted[sorted.length - 1 - cut],
          Arrays.stream(smooth.get(k).y()).max().orElseThrow()));
    }
    for (Mark mark : marks) {
      low = Math.min(low, mark.y());
      high = Math.max(high, mark.y());
    }
    double margin = 0.06 * (high - low);
    return Axis.covering(low >= 0 && low < margin ? 0 : low - margin, high + margin, 5);
  }

  private void frame(StringBuilder svg, Axis x, Axis y) {
    int bottom = HEIGHT - BOTTOM;
    int right = WIDTH - RIGHT;
    svg.append(format("<text class=\"title\" x=\"%d\" y=\"20\">%s</text>", LEFT, Html.escape(title)));
    for (double tick : y.ticks()) {
      double py = bottom - y.position(tick) * (bottom - TOP);
      svg.append(format("<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, py, right));
      svg.append(format("<text class=\"tick end\" x=\"%d\" y=\"%.1f\">%s</text>", LEFT - 7, py + 4, y.label(tick)));
    }
    for (double tick : x.ticks()) {
      double px = LEFT + x.position(tick) * (right - LEFT);
      svg.append(format("<path class=\"axis\" d=\"M%.1f %dv4\"/>", px, bottom));
      svg.append(format("<text class=\"tick mid\" x=\"%.1f\" y=\"%d\">%s</text>", px, bottom + 17, x.label(tick)));
    }
    svg.append(format("<path class=\"axis\" d=\"M%d %dH%d\"/>", LEFT, bottom, right));
    svg.append(format("<text class=\"tick mid\" x=\"%d\" y=\"%d\">%s</text>", (LEFT + right) / 2, HEIGHT - 6,
        Html.escape(xLabel)));
    for (Mark mark : marks) {
      double py = bottom - y.position(mark.y()) * (bottom - TOP);
      svg.append(format("<path class=\"mark\" d=\"M%d %.1fH%d\"/>", LEFT, py, right));
      svg.append(format("<text class=\"tick end halo\" x=\"%d\" y=\"%.1f\">%s</text>", right - 4, py - 5,
          Html.escape(mark.name())));
    }
  }

  private static void polyline(StringBuilder svg, Series series, Axis x, Axis y, String style) {
    int width = WIDTH - LEFT - RIGHT;
    int height = HEIGHT - TOP - BOTTOM;
    if (series.x().length == 1) {
      svg.append(format("<circle class=\"dot %s\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"/>", style,
          x.position(series.x()[0]) * width, (1 - y.position(series.y()[0])) * height));
      return;
    }
    svg.append("<polyline class=\"").append(style).append("\" points=\"");
    for (int i = 0; i < series.x().length; i++) {
      svg.append(format("%.1f,%.1f ", x.position(series.x()[i]) * width, (1 - y.position(series.y()[i])) * height));
    }
    svg.append("\"/>");
  }

  /** Right-aligned on the title's line; widths are estimates, as an SVG without script cannot measure text. */
  private static void legend(StringBuilder svg, List<Series> drawn) {
    if (drawn.size() < 2) {
      return;
    }
    double px = WIDTH - RIGHT;
    for (int k = drawn.size() - 1; k >= 0; k--) {
      String name = drawn.get(k).name();
      px -= 6.4 * name.length();
      svg.append(format("<text class=\"tick\" x=\"%.1f\" y=\"20\">%s</text>", px, Html.escape(name)));
      px -= 22;
      svg.append(format("<path class=\"line s%d\" d=\"M%.1f 16h16\"/>", k + 1, px));
      px -= 12;
    }
  }

  private static String format(String pattern, Object... arguments) {
    return String.format(Locale.ROOT, pattern, arguments);
  }
}
