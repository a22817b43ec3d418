package org.diffusionrpo.bench.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The golden files in the repository are those that the generator makes now. */
class GoldensTest {
  private static final Path PROJECT = Path.of("..");

  /** Of ||a - b|| / ||b||: float64 results that libtorch may sum in another order, rounded to float32. */
  private static final double TOLERANCE = 1e-6;

  /** Gradients that are zero but for rounding. */
  private static final double ABSOLUTE_FLOOR = 1e-10;

  @TempDir
  private Path fresh;

  @Test
  void generatorReproducesTheCommittedFiles() throws IOException {
    GenerateGoldens.write(fresh);
    List<Path> files;
    try (Stream<Path> found = Files.walk(fresh)) {
      files = found.filter(Files::isRegularFile).toList();
    }
    assertTrue(files.size() > 10, files::toString);
    for (Path file : files) {
      Path committed = PROJECT.resolve(fresh.relativize(file));
      if (file.toString().endsWith(".safetensors")) {
        compare(committed, file);
      } else {
        assertEquals(Files.readString(committed), Files.readString(file), committed.toString());
      }
    }
  }

  private static void compare(Path committed, Path made) throws IOException {
    try (SafetensorsFile expected = SafetensorsFile.open(committed);
        SafetensorsFile actual = SafetensorsFile.open(made)) {
      assertEquals(expected.metadata(), actual.metadata(), committed.toString());
      assertEquals(expected.names(), actual.names(), committed.toString());
      for (String name : expected.names()) {
        String place = committed + " " + name;
        assertEquals(expected.info(name), actual.info(name), place);
        if (expected.info(name).dtype() == DType.I64) {
          assertArrayEquals(expected.readLongs(name), actual.readLongs(name), place);
        } else {
          compare(place, expected.readFloats(name), actual.readFloats(name));
        }
      }
    }
  }

  private static void compare(String place, float[] expected, float[] actual) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      norm += (double) expected[i] * expected[i];
    }
    double error = Math.sqrt(difference);
    double bound = Math.max(ABSOLUTE_FLOOR, TOLERANCE * Math.sqrt(norm));
    assertTrue(error <= bound, () -> place + ": differs by " + error + ", allowed are " + bound);
  }
}
