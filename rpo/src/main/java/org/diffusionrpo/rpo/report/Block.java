package org.diffusionrpo.rpo.report;

import java.util.List;
import java.util.Map;

/** One piece of a report page. */
public sealed interface Block {
  /** A paragraph of plain text. */
  record Text(String text) implements Block {}

  /** Names and values, such as the settings of a run. */
  record Settings(Map<String, String> values) implements Block {}

  /** A table of numbers. */
  record Table(ComparisonTable table) implements Block {}

  /** Charts side by side as far as the window allows, each with a sentence or two on how to read it. */
  record Charts(List<Explained> charts) implements Block {
    /** A chart and its explanation. */
    public record Explained(LineChart chart, String explanation) {}
  }

  /** The same prompts and seeds in several columns, such as before and after. */
  record Samples(List<Sample> samples) implements Block {
    /**
     * One prompt.
     *
     * @param pngs encoded pictures by column name, in order
     */
    public record Sample(String prompt, Map<String, byte[]> pngs) {}
  }
}
