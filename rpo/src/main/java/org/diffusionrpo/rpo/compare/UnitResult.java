package org.diffusionrpo.rpo.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.tensor.io.AtomicFiles;

/**
 * What a finished unit of work found.
 *
 * @param score null if the training diverged
 * @param implicitAccuracy on held-out pairs; null for the base model
 * @param failure why the training was stopped; null if it was not
 * @param seconds of training and measuring, without what units share
 */
record UnitResult(Method method, Candidate candidate, long seed, StyleAlignment.Score score, Double implicitAccuracy,
    String failure, double seconds) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** False when the training diverged, so that there is nothing to measure. */
  boolean measured() {
    return score != null;
  }

  /** Reads the result of a finished unit. */
  static Optional<UnitResult> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.readValue(file.toFile(), UnitResult.class));
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not the result of a unit: " + e.getOriginalMessage(), e);
    }
  }

  void write(Path file) throws IOException {
    AtomicFiles.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
  }
}
