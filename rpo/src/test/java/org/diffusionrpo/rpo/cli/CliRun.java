package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.io.OriginalFile;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;

/** What a command printed and its exit code. */
record CliRun(int code, String out, String err) {
  static CliRun of(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] = args[i].toString();
    }
    int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
    return new CliRun(code, out.toString(), err.toString());
  }

  /** Fails unless it was refused with exit code 2 and one line that has all these parts. */
  void assertRefused(String... parts) {
    assertFailed(Errors.BAD_INPUT, parts);
  }

  /** Fails unless it ended with this code and one line of error, after those on its progress, that has all these parts. */
  void assertFailed(int expected, String... parts) {
    assertEquals(expected, code, err);
    List<String> lines = err.lines().toList();
    assertEquals(1, lines.stream().filter(line -> line.startsWith("drpo")).count(), err);
    String error = lines.get(lines.size() - 1);
    assertTrue(error.startsWith("drpo"), err);
    for (String part : parts) {
      assertTrue(error.contains(part), err);
    }
  }

  CliRun assertDone() {
    assertEquals(0, code, err);
    return this;
  }

  /** The model of {@link #saveTinyModel} in one file of the original layout, without settings and tokenizer. */
  static Path saveTinyFile(Path file) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      return OriginalFile.of(model).write(file, DType.F16);
    }
  }

  static Path saveTinyModel(Path folder) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      model.save(folder, DType.F16);
    }
    return folder;
  }

  static Path saveTinyXlModel(Path folder) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyXlModel.create(backend, true)) {
      model.save(folder, DType.F16);
    }
    return folder;
  }
}
