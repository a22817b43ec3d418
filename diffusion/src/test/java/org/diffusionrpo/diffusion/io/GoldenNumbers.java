package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Statistics of tensors that the reference networks computed: lines such as
 * {@code dx: sum 1 · abs 2 · sq 3 · first4 1 2 3 4 · last 5}, under section headings.
 */
public final class GoldenNumbers {
  /** float32 against a reference in float64 (UNet, VAE) or float32 (CLIP, six digits printed). */
  public static final double OUTPUT_TOLERANCE = 1e-4;

  /** Gradients sum many more rounded terms. */
  public static final double GRADIENT_TOLERANCE = 1e-3;

  private final List<String> lines;

  private GoldenNumbers(List<String> lines) {
    this.lines = lines;
  }

  /** The lines of a resource from one that starts with {@code heading} up to the next heading of {@code headings}. */
  public static GoldenNumbers read(String resource, String heading, String... headings) throws IOException {
    List<String> section = new ArrayList<>();
    try (InputStream in = GoldenNumbers.class.getResourceAsStream("/golden/" + resource)) {
      assertNotNull(in, resource);
      boolean inside = false;
      for (String line : new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).lines().toList()) {
        if (line.startsWith(heading)) {
          inside = true;
        } else if (inside && List.of(headings).stream().anyMatch(line::startsWith)) {
          break;
        }
        if (inside) {
          section.add(line);
        }
      }
    }
    return new GoldenNumbers(section);
  }

  /** The rest of the line that starts with this key. */
  public String text(String key) {
    return lines.stream().filter(line -> line.startsWith(key)).map(line -> line.substring(key.length()).strip())
        .findFirst().orElseThrow(() -> new AssertionError("no golden line " + key + " in " + lines));
  }

  /** Names of the parameters with golden gradients. */
  public List<String> gradients() {
    return lines.stream().filter(line -> line.startsWith("d ")).map(line -> line.split(" ")[1]).toList();
  }

  /** Compares all printed statistics of a tensor; sums relative to the sum of magnitudes. */
  public void check(String key, float[] actual, double tolerance) {
    String[] words = text(key).replaceAll("^:|^\\([^)]*\\)", "").strip().split("[ ·]+");
    double sum = 0;
    double abs = 0;
    double sq = 0;
    for (float value : actual) {
      sum += value;
      abs += Math.abs(value);
      sq += (double) value * value;
    }
    double goldenAbs = Double.parseDouble(words[3]);
    double rms = Math.sqrt(sq / actual.length);
    assertEquals(Double.parseDouble(words[1]), sum, tolerance * goldenAbs, key + " sum");
    assertEquals(goldenAbs, abs, tolerance * goldenAbs, key + " abs");
    assertEquals(Double.parseDouble(words[5]), sq, 2 * tolerance * sq, key + " sq");
    for (int i = 0; i < 4; i++) {
      assertEquals(Double.parseDouble(words[7 + i]), actual[i], tolerance * rms, key + " element " + i);
    }
    assertEquals(Double.parseDouble(words[12]), actual[actual.length - 1], tolerance * rms, key + " last element");
  }
}
