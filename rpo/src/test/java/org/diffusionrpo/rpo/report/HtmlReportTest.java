package org.diffusionrpo.rpo.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.diffusionrpo.rpo.eval.Spread;
import org.diffusionrpo.rpo.loss.ContrastGroups;
import org.diffusionrpo.rpo.loss.ContrastWeights;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.diffusionrpo.rpo.loss.PairErrors;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.rpo.loss.PreferenceLoss;
import org.diffusionrpo.rpo.loss.Sft;
import org.diffusionrpo.rpo.report.Block.Samples.Sample;
import org.diffusionrpo.rpo.report.ComparisonTable.Column;
import org.diffusionrpo.rpo.report.ComparisonTable.Sense;
import org.junit.jupiter.api.Test;

/** Renders invented runs; the preference run also lies in target/sample-report.html for people to look at. */
class HtmlReportTest {
  private static final PreferenceLoss RPO = new ContrastGroups(
      new DiffusionRpo(2000, DiffusionRpo.Weighting.INSIDE, (features, m, n) -> nearDiagonal(n)), 16);

  @Test
  void aPreferenceRunShowsEveryCurveAndExplainsTheFlatLoss() throws IOException {
    String html = HtmlReport.render(report(RPO).page());
    Files.writeString(Path.of("target", "sample-report.html"), html);
    for (String title : List.of("Loss", "Implicit accuracy", "Denoising error against the reference", "Logits",
        "Saturated sigmoids", "Parts of the loss", "Contrast weights", "Learning rate", "Gradient norm",
        "Seconds per step")) {
      assertTrue(html.contains("aria-label=\"" + title + "\""), title);
    }
    assertTrue(html.contains("Why the loss looks flat"));
    assertTrue(html.contains("<dt>--tau</dt><dd>0.5</dd>"));
    assertEquals(8 * 2, html.split("src=\"data:image/png;base64,", -1).length - 1);
  }

  @Test
  void anSftRunLeavesOutWhatItHasNot() {
    String html = HtmlReport.render(report(new Sft()).page());
    assertTrue(html.contains("aria-label=\"Loss\""));
    assertFalse(html.contains("aria-label=\"Logits\""));
    assertFalse(html.contains("Why the loss looks flat"));
    assertFalse(html.contains("ln 2"));
  }

  @Test
  void thePageNeedsNoOtherFileAndNoScript() {
    String html = HtmlReport.render(report(RPO).page());
    for (String outside : List.of("http:", "https:", "<script", "<link", "@import", "url(")) {
      assertFalse(html.contains(outside), outside);
    }
    assertFalse(html.replace("src=\"data:", "").contains("src="));
  }

  @Test
  void textIsEscapedAndEmptySectionsVanish() {
    var report = new RunReport("a <b> & \"c\"", "", List.of(), Map.of(), List.of(), List.of(), List.of(), List.of());
    String html = HtmlReport.render(report.page());
    assertTrue(html.contains("<h1>a &lt;b&gt; &amp; &quot;c&quot;</h1>"));
    assertFalse(html.contains("<h2>"));
  }

  private static RunReport report(PreferenceLoss loss) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("--objective", "rpo");
    settings.put("--model", "bundled");
    settings.put("--style", "sketch");
    settings.put("--steps", "400");
    settings.put("--batch", "32");
    settings.put("--contrast", "16");
    settings.put("--lr", "2.0e-5");
    settings.put("--beta", "2000");
    settings.put("--tau", "0.5");
    settings.put("--embedding", "both");
    settings.put("--weighting", "inside");
    settings.put("--seed", "1");
    ComparisonTable table = new ComparisonTable("Model", List.of(new Column("Fréchet distance", Sense.LOWER, 2),
        new Column("Style share, %", Sense.HIGHER, 1), new Column("CLIP score", Sense.HIGHER, 2)))
        .row("Base", Spread.of(0.61), Spread.of(19.5), Spread.of(27.1))
        .row("Diffusion-RPO", Spread.of(0.18), Spread.of(93.8), Spread.of(27.6));
    List<Page.Fact> facts = List.of(new Page.Fact("Style share", "19.5% → 93.8%"),
        new Page.Fact("Fréchet distance", "0.61 → 0.18"), new Page.Fact("Implicit accuracy", "0.71"),
        new Page.Fact("Updates", "400"), new Page.Fact("Time", "4 min 52 s"));
    return new RunReport("Diffusion-RPO towards sketch", "Bundled base model, 400 updates of 32 pairs, seed 1", facts,
        settings, steps(loss), samples(), List.of(table),
        List.of("Measured on 160 held-out prompts. The style classifier names 97.4% of real held-out images rightly."));
  }

  private static List<MetricsLog.Entry> steps(PreferenceLoss loss) {
    Random random = new Random(5);
    List<MetricsLog.Entry> steps = new ArrayList<>();
    for (int step = 1; step <= 400; step++) {
      double[][] errors = new double[4][32];
      for (int i = 0; i < 32; i++) {
        double base = 0.05 + 0.2 * random.nextDouble();
        errors[0][i] = base - 4e-6 * step + 6e-4 * random.nextGaussian();
        errors[1][i] = base + 1e-6 * step + 6e-4 * random.nextGaussian();
        errors[2][i] = base;
        errors[3][i] = base;
      }
      var result = loss.evaluate(new PairErrors(errors[0], errors[1], errors[2], errors[3]), PairFeatures.NONE);
      Map<String, Double> values = new LinkedHashMap<>();
      values.put(RunReport.LOSS, result.loss());
      result.metrics().forEach((metric, value) -> values.put(metric.key(), value));
      values.put(RunReport.LEARNING_RATE, 2e-5 * Math.min(1, step / 40.0));
      values.put(RunReport.GRADIENT_NORM, 3 * Math.exp(0.3 * random.nextGaussian()));
      values.put(RunReport.SECONDS, 0.7 + 2 * Math.exp(-step / 4.0) + 0.03 * random.nextDouble());
      steps.add(new MetricsLog.Entry(step, values));
    }
    return steps;
  }

  private static double[][] nearDiagonal(int n) {
    return new ContrastWeights.Diagonal(0.4).omega(PairFeatures.NONE, n, n);
  }

  private static List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    for (String prompt : List.of("cat face", "red apple", "sailboat", "crescent moon", "hot beverage", "bicycle",
        "open umbrella with rain drops", "tree")) {
      Map<String, byte[]> pngs = new LinkedHashMap<>();
      pngs.put("before", drawing(prompt, true));
      pngs.put("after", drawing(prompt, false));
      samples.add(new Sample(prompt, pngs));
    }
    return samples;
  }

  private static byte[] drawing(String prompt, boolean filled) {
    Random random = new Random(prompt.hashCode());
    BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, 64, 64);
    for (int k = 0; k < 4; k++) {
      int size = 20 + random.nextInt(20);
      int x = 8 + random.nextInt(48 - size + 8);
      int y = 8 + random.nextInt(48 - size + 8);
      Color colour = Color.getHSBColor(random.nextFloat(), 0.7f, 0.9f);
      graphics.setColor(filled ? colour : Color.BLACK);
      if (filled) {
        graphics.fillOval(x, y, size, size);
      } else {
        graphics.drawOval(x, y, size, size);
      }
    }
    graphics.dispose();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return png.toByteArray();
  }
}
