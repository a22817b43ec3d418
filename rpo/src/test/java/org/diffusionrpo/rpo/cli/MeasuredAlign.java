package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that makes one alignment and prints the most memory it ever held, in bytes. */
final class MeasuredAlign {
  private MeasuredAlign() {}

  public static void main(String[] args) throws IOException {
    int code = Main.run(new PrintWriter(System.err), new PrintWriter(System.err), args);
    if (code == 0) {
      System.out.println(RunCost.peakMemory(Files.readAllLines(Path.of("/proc/self/status"))).orElseThrow());
    }
    System.exit(code);
  }
}
