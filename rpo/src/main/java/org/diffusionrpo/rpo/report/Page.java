package org.diffusionrpo.rpo.report;

import java.util.List;

/**
 * A report page: title, key figures, sections of blocks.
 *
 * @param facts the figures that a reader sees first
 */
public record Page(String title, String subtitle, List<Fact> facts, List<Section> sections) {
  /** A key figure, such as "Style share", "12% → 84%". */
  public record Fact(String name, String value) {}

  /** A titled part of the page; one without blocks is left out. */
  public record Section(String title, List<Block> blocks) {}
}
