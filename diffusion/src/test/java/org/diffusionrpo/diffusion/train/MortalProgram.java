package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A main class of the tests in a virtual machine of its own, to be killed. It prints a line after each update. */
public final class MortalProgram {
  private final Path errors;
  private final List<String> command;

  /**
   * Without the Vector API and the second compiler, which are not worth their warm-up here.
   *
   * @param errors file for what the program says about its faults
   */
  public MortalProgram(Path errors, Class<?> main, String... arguments) {
    this.errors = errors;
    this.command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1", "-Xmx256m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-cp",
        System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
  }

  /** Runs it to its end. */
  public void finish() throws IOException, InterruptedException {
    Process child = start();
    child.getInputStream().transferTo(OutputStream.nullOutputStream());
    assertTrue(child.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, child.exitValue(), () -> "the program failed: " + errors());
  }

  /** Starts it, lets it make so many updates, waits and kills it the hard way. */
  public void killAfter(int updates, int millis) throws IOException, InterruptedException {
    Process child = start();
    try (BufferedReader lines = child.inputReader(StandardCharsets.UTF_8)) {
      for (int i = 0; i < updates; i++) {
        assertNotNull(lines.readLine(), () -> "the program ended by itself: " + errors());
      }
      Thread.sleep(millis);
      child.destroyForcibly();
      assertTrue(child.waitFor(1, TimeUnit.MINUTES));
    }
  }

  private Process start() throws IOException {
    return new ProcessBuilder(command).redirectError(errors.toFile()).start();
  }

  private String errors() {
    try {
      return Files.readString(errors);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
