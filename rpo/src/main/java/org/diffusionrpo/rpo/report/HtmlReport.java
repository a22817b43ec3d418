package org.diffusionrpo.rpo.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.diffusionrpo.rpo.report.Block.Charts;
import org.diffusionrpo.rpo.report.Block.Samples;
import org.diffusionrpo.rpo.report.Block.Settings;
import org.diffusionrpo.rpo.report.Block.Table;
import org.diffusionrpo.rpo.report.Block.Text;
import org.diffusionrpo.rpo.report.Page.Fact;
import org.diffusionrpo.rpo.report.Page.Section;

/** Writes a {@link Page} as one HTML file that needs no other file, no script and no network. */
public final class HtmlReport {
  private HtmlReport() {}

  public static void write(Path file, Page page) throws IOException {
    Files.writeString(file, render(page));
  }

  /** The complete document. */
  public static String render(Page page) {
    StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .append(Html.escape(page.title())).append("</title>\n<style>\n").append(styleSheet())
        .append("</style></head>\n<body><main>\n<header><h1>").append(Html.escape(page.title()))
        .append("</h1><p class=\"subtitle\">").append(Html.escape(page.subtitle())).append("</p></header>\n");
    if (!page.facts().isEmpty()) {
      html.append("<div class=\"facts\">");
      for (Fact fact : page.facts()) {
        html.append("<div class=\"fact\"><span>").append(Html.escape(fact.name())).append("</span><strong>")
            .append(Html.escape(fact.value())).append("</strong></div>");
      }
      html.append("</div>\n");
    }
    for (Section section : page.sections()) {
      if (!section.blocks().isEmpty()) {
        html.append("<section><h2>").append(Html.escape(section.title())).append("</h2>\n");
        section.blocks().forEach(block -> append(html, block));
        html.append("</section>\n");
      }
    }
    return html.append("</main></body></html>\n").toString();
  }

  private static void append(StringBuilder html, Block block) {
    if (block instanceof Text text) {
      html.append("<p>").append(Html.escape(text.text())).append("</p>\n");
    } else if (block instanceof Table table) {
      html.append("<div class=\"scroll\">").append(table.table().toHtml()).append("</div>\n");
    } else if (block instanceof Settings settings) {
      html.append("<dl class=\"settings\">");
      settings.values().forEach((name, value) -> html.append("<div><dt>").append(Html.escape(name))
          .append("</dt><dd>").append(Html.escape(value)).append("</dd></div>"));
      html.append("</dl>\n");
    } else if (block instanceof Charts charts) {
      html.append("<div class=\"charts\">\n");
      for (Charts.Explained explained : charts.charts()) {
        html.append("<figure>").append(explained.chart().svg()).append("<figcaption>")
            .append(Html.escape(explained.explanation())).append("</figcaption></figure>\n");
      }
      html.append("</div>\n");
    } else if (block instanceof Samples samples) {
      append(html, samples);
    }
  }

  private static void append(StringBuilder html, Samples samples) {
    html.append("<div class=\"samples\">\n");
    for (Samples.Sample sample : samples.samples()) {
      html.append("<figure><div class=\"row\">");
      sample.pngs().forEach((column, png) -> html.append("<div>")
          .append(Html.image(png, sample.prompt() + ", " + column)).append("<span>").append(Html.escape(column))
          .append("</span></div>"));
      html.append("</div><figcaption>").append(Html.escape(sample.prompt())).append("</figcaption></figure>\n");
    }
    html.append("</div>\n");
  }

  private static String styleSheet() {
    try (InputStream css = HtmlReport.class.getResourceAsStream("report.css")) {
      return new String(Objects.requireNonNull(css, "report.css is not on the class path").readAllBytes(),
          StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read report.css from the class path", e);
    }
  }
}
