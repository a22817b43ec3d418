package org.diffusionrpo.kernels.cuda;

import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCompile;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCreate;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerDestroy;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLogSize;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels compiled ahead of time, as the jar has them. No GPU and no driver takes part. */
class PtxTest {
  private static final String REMEDY = "run native-kernels/src/main/scripts/ptx.sh";
  /** Turing, Ampere, Ada and Hopper; JCuda's PTX compiler knows no later ones. */
  private static final List<Integer> DEVICES = List.of(75, 80, 86, 89, 90);
  private static final Pattern TARGET = Pattern.compile("(?m)^\\.target sm_(\\d+)");

  /** JCuda unpacks its compiler into java.io.tmpdir, and leaves it there. */
  @BeforeAll
  static void loadCompiler(@TempDir Path folder) {
    String before = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JNvPTXCompiler.setExceptionsEnabled(false);
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
  }

  static List<String> sources() {
    return KernelSource.FILES;
  }

  @ParameterizedTest
  @MethodSource("sources")
  void isOfItsSource(String file) {
    KernelSource source = KernelSource.of(file);
    String ptx = source.ptx();
    assertNotNull(ptx, "no " + file + ".ptx: " + REMEDY);
    assertEquals("// SHA-256 of common.cuh and " + file + ".cu: " + source.hash(), ptx.lines().findFirst().orElse(""),
        file + ".ptx is of another source: " + REMEDY);
  }

  @ParameterizedTest
  @MethodSource("sources")
  void assemblesForEveryDevice(String file) {
    String ptx = KernelSource.of(file).ptx();
    assertNotNull(ptx, "no " + file + ".ptx: " + REMEDY);
    Matcher target = TARGET.matcher(ptx);
    assertTrue(target.find(), file + ".ptx has no target");
    int lowest = Integer.parseInt(target.group(1));
    List<String> errors = DEVICES.parallelStream().filter(device -> device >= lowest)
        .map(device -> errorsOf(ptx, device)).filter(error -> !error.isEmpty()).toList();
    assertEquals(List.of(), errors, file + ".ptx");
  }

  @Test
  void buildsAgainToTheSameText(@TempDir Path folder) throws IOException {
    assumeTrue(Nvcc.missing() == null, Nvcc::missing);
    String known = KernelSource.of("elementwise").ptx().lines().filter(line -> line.contains("release")).findFirst()
        .orElse("no release");
    assumeTrue(known.contains(Nvcc.version()), "the PTX is of another nvcc: " + known);
    Nvcc.run(List.of("src/main/scripts/ptx.sh", folder.toString()));
    for (String file : sources()) {
      try (InputStream in = new GZIPInputStream(Files.newInputStream(folder.resolve(file + ".ptx.gz")))) {
        String rebuilt = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(rebuilt.equals(KernelSource.of(file).ptx()), file + ".ptx is of another source: " + REMEDY);
      }
    }
  }

  /** What the assembler of CUDA 12.0 says, or nothing. */
  private static String errorsOf(String ptx, int device) {
    byte[] text = ptx.getBytes(StandardCharsets.UTF_8);
    nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
    assertEquals(0, nvPTXCompilerCreate(compiler, text.length, text));
    try {
      int code = nvPTXCompilerCompile(compiler, 1, new String[] {"--gpu-name=sm_" + device});
      long[] size = new long[1];
      nvPTXCompilerGetErrorLogSize(compiler, size);
      byte[] log = new byte[(int) size[0] + 1];
      nvPTXCompilerGetErrorLog(compiler, log);
      String errors = new String(log, StandardCharsets.UTF_8).replace("\0", "").strip();
      return code == 0 ? "" : "for sm_" + device + ": code " + code + " " + errors;
    } finally {
      nvPTXCompilerDestroy(compiler);
    }
  }
}
