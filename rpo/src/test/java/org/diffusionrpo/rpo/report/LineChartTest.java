package org.diffusionrpo.rpo.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LineChartTest {
  @Test
  void svgIsWellFormedAndHasOneLinePerSeries() throws Exception {
    double[] x = IntStream.range(0, 500).asDoubleStream().toArray();
    Series a = new Series("a < b", x, Arrays.stream(x).map(Math::sin).toArray());
    Series b = new Series("c & d", x, Arrays.stream(x).map(Math::cos).toArray());
    String svg = new LineChart("\"quoted\"", "update", List.of(a, b), List.of(new LineChart.Mark("zero", 0)), true).svg();
    var document = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertEquals(4, document.getElementsByTagName("polyline").getLength()); // raw and averaged
    assertFalse(svg.contains("NaN"));
  }

  @Test
  void onePointAConstantAndGapsAreDrawn() {
    for (Series series : List.of(new Series("one", new double[] {1}, new double[] {3}),
        new Series("constant", new double[] {1, 2, 3}, new double[] {0, 0, 0}),
        new Series("gap", new double[] {1, 2, 3}, new double[] {0, Double.NaN, 1e-9}))) {
      String svg = new LineChart("t", "x", List.of(series), List.of(), true).svg();
      assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
    }
    assertTrue(new LineChart("t", "x", List.of(new Series("none", new double[] {1}, new double[] {Double.NaN})),
        List.of(), true).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 5, 0.2", "0.68, 0.70, 5, 0.005", "0, 2000, 6, 500",
      "-3e-5, 4e-5, 5, 2e-5", "5, 5, 5, 1", "0, 0, 5, 0.2", "-2, -2, 4, 0.5"})
  void ticksAreRoundNumbers(double low, double high, int count, double tick) {
    Axis axis = Axis.covering(low, high, count);
    assertEquals(tick, axis.tick(), 1e-9 * tick);
    assertTrue(axis.ticks().size() >= 2 && axis.ticks().size() <= 2 * count, () -> axis.ticks().toString());
    assertEquals(axis.ticks().size(), axis.ticks().stream().map(axis::label).distinct().count());
  }

  @Test
  void labelsShowWhatDiffers() {
    assertEquals("0.695", Axis.covering(0.68, 0.70, 5).label(0.695));
    assertEquals("1500", Axis.covering(0, 2000, 6).label(1500));
    assertEquals("2e-5", Axis.covering(0, 4e-5, 2).label(2e-5));
    assertEquals("0", Axis.covering(-1, 1, 5).label(0));
  }

  @Test
  void smoothingKeepsAStraightLineAndAveragesInside() {
    double[] line = {0, 1, 2, 3, 4, 5, 6};
    assertArrayEquals(line, new Series("s", line, line).smoothed(2).y(), 1e-12);
    assertArrayEquals(new double[] {3, 1, 1, 1, 0}, new Series("s", new double[] {0, 1, 2, 3, 4},
        new double[] {3, 0, 0, 3, 0}).smoothed(1).y(), 1e-12);
  }

  @Test
  void thinningKeepsSpikes() {
    double[] x = IntStream.range(0, 10_000).asDoubleStream().toArray();
    double[] y = new double[x.length];
    y[4321] = 7;
    y[8765] = -7;
    Series thin = new Series("s", x, y).thinned(100);
    assertEquals(200, thin.y().length);
    assertEquals(7, Arrays.stream(thin.y()).max().orElseThrow());
    assertEquals(-7, Arrays.stream(thin.y()).min().orElseThrow());
  }
}
