package org.diffusionrpo.bench.jmh;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** What JMH wrote with {@code -rf json}: the scores by benchmark and parameters, in the order of the file. */
final class JmhResults {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JmhResults() {}

  /**
   * The mean of a benchmark.
   *
   * @param error half of the confidence interval of 99.9 %; NaN when there were too few measurements to tell
   * @param unit for example {@code ms/op}
   */
  record Score(double value, double error, String unit) {}

  /** Keys are like {@code NormBenchmark.layerNormForward shape=2x4096x320}. */
  static Map<String, Score> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "there is no such file");
    }
    JsonNode runs;
    try {
      runs = JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": is not JSON: " + e.getOriginalMessage(), e);
    }
    Map<String, Score> scores = new LinkedHashMap<>();
    for (JsonNode run : runs) {
      JsonNode metric = run.path("primaryMetric");
      if (!run.path("benchmark").isTextual() || !metric.path("score").isNumber()) {
        throw new IOException(file + ": holds no results of JMH; write them with -rf json -rff FILE");
      }
      scores.put(name(run), new Score(metric.path("score").asDouble(), error(metric),
          metric.path("scoreUnit").asText()));
    }
    if (scores.isEmpty()) {
      throw new IOException(file + ": holds no results of JMH; write them with -rf json -rff FILE");
    }
    return scores;
  }

  /** Class and method, then the parameters by name; the mode only where it is not the average time. */
  private static String name(JsonNode run) {
    String[] path = run.path("benchmark").asText().split("\\.");
    StringBuilder name = new StringBuilder(path.length < 2 ? "" : path[path.length - 2] + ".");
    name.append(path[path.length - 1]);
    Map<String, String> parameters = new TreeMap<>();
    run.path("params").fields().forEachRemaining(e -> parameters.put(e.getKey(), e.getValue().asText()));
    parameters.forEach((key, value) -> name.append(' ').append(key).append('=').append(value));
    String mode = run.path("mode").asText("avgt");
    return mode.equals("avgt") ? name.toString() : name + " " + mode;
  }

  /** JMH writes the string NaN after a single measurement. */
  private static double error(JsonNode metric) {
    JsonNode error = metric.path("scoreError");
    return error.isNumber() ? error.asDouble() : Double.NaN;
  }
}
