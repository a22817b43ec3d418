package org.diffusionrpo.rpo.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * metrics.jsonl: one JSON object per training step, written at once, so that a killed run loses at most the line that
 * it was writing. A line counts when its newline is there.
 */
public final class MetricsLog implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String STEP = "step";

  private final OutputStream out;

  /**
   * The numbers of one step.
   *
   * @param values by name, in the order written; may hold NaN and infinities
   */
  public record Entry(long step, Map<String, Double> values) {
    public Entry {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }
  }

  private record Line(Entry entry, int end) {}

  private MetricsLog(OutputStream out) {
    this.out = out;
  }

  /**
   * Opens {@code file} for a run that continues after {@code lastStep}: later lines and a torn last line are cut off.
   * With {@code lastStep} 0 or a missing file the log starts empty.
   */
  public static MetricsLog continueAfter(Path file, long lastStep) throws IOException {
    long keep = 0;
    if (Files.exists(file)) {
      for (Line line : lines(file)) {
        if (line.entry().step() > lastStep) {
          break;
        }
        keep = line.end();
      }
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(keep);
      }
    }
    return new MetricsLog(Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
  }

  /** Writes one line and hands it to the operating system. */
  public void append(Entry entry) throws IOException {
    ObjectNode node = JSON.createObjectNode().put(STEP, entry.step());
    entry.values().forEach(node::put); // Jackson quotes NaN and Infinity, which JSON has no numbers for
    out.write((JSON.writeValueAsString(node) + "\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /** All complete lines of {@code file}. */
  public static List<Entry> read(Path file) throws IOException {
    return lines(file).stream().map(Line::entry).toList();
  }

  private static List<Line> lines(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    List<Line> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        String text = new String(bytes, start, i - start, StandardCharsets.UTF_8);
        lines.add(new Line(parse(text, file, lines.size() + 1), i + 1));
        start = i + 1;
      }
    }
    return lines;
  }

  private static Entry parse(String text, Path file, int number) throws IOException {
    JsonNode node;
    try {
      node = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IOException(file + ", line " + number + ": not a JSON object: " + e.getOriginalMessage(), e);
    }
    if (!node.isObject() || !node.path(STEP).canConvertToLong()) {
      throw new IOException(file + ", line " + number + ": expected a JSON object with a whole number \"step\"");
    }
    Map<String, Double> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getKey().equals(STEP)) {
        values.put(field.getKey(), number(field.getValue(), file, number));
      }
    }
    return new Entry(node.get(STEP).asLong(), values);
  }

  private static double number(JsonNode value, Path file, int line) throws IOException {
    if (value.isNumber()) {
      return value.doubleValue();
    }
    return switch (value.asText()) {
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> throw new IOException(file + ", line " + line + ": not a number: " + value);
    };
  }
}
