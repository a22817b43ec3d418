package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles every kernel for every device that is supported, and looks at what it takes of one. Needs nvcc, no GPU. */
class KernelResourcesTest {
  private static final List<Integer> DEVICES = List.of(75, 80, 86, 89, 90, 120);
  /** Devices whose code starts from that of an earlier one. */
  private static final Map<Integer, Integer> FRONT_ENDS = Map.of(86, 80, 89, 80);
  /** No tensor core multiplies bf16 before; the kernels compile, and nobody launches them. */
  private static final int FIRST_BF16 = 80;
  private static final Path TABLE = Path.of("target", "kernel-resources.md");

  private static final Pattern BLOCK = Pattern.compile("__launch_bounds__\\s*\\(\\s*(\\d+)[^)]*\\)\\s+(\\w+)\\s*\\(");
  private static final Pattern TILED = Pattern.compile("attention_([a-z_]+?)(_f16|_bf16)?_(\\d+)");
  private static final Pattern REPORT = Pattern.compile("""
      Compiling entry function '(\\w+)' for 'sm_(\\d+)'[^']*?\
      (\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads[^']*?\
      Used (\\d+) registers(?:, used \\d+ barriers)?(?:, (\\d+)(?:\\+0)? bytes smem)?""");

  /** What one kernel takes of one device; shared memory also of its launches. */
  private record Usage(String kernel, int device, int threads, int stack, int spills, int registers, int shared) {
    String row() {
      return String.format("| %s | sm_%d | %d | %d | %d | %d | %.0f%% |%n", kernel, device, threads, registers, shared,
          stack, 100 * Occupancy.of(device).share(threads, registers, shared));
    }
  }

  @Test
  void noKernelSpillsWithoutAReason(@TempDir Path folder) throws IOException {
    assumeTrue(Nvcc.missing() == null, Nvcc::missing);
    List<Usage> usages = usages(folder);
    StringBuilder table = new StringBuilder("""
        Shared memory is what the source declares and what a launch adds to it. Occupancy: the share of a
        multiprocessor's threads that fit at once.

        | kernel | device | threads | registers | shared bytes | stack bytes | occupancy |
        |---|---|---|---|---|---|---|
        """);
    usages.forEach(usage -> table.append(usage.row()));
    Files.writeString(TABLE, table);

    Set<String> spilling = new TreeSet<>();
    usages.stream().filter(usage -> usage.spills() > 0).forEach(usage -> spilling.add(usage.kernel()));
    assertEquals(allowed(), spilling, "kernels with spills against spills.txt; see " + TABLE);
  }

  /** One file to a processor at a time, the longest first. */
  private static List<Usage> usages(Path folder) {
    ExecutorService processors = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try {
      return KernelSource.FILES.stream()
          .sorted(Comparator.comparing((String file) -> KernelSource.of(file).text().length()).reversed())
          .map(file -> CompletableFuture.supplyAsync(() -> usages(file, folder), processors)).toList().stream()
          .flatMap(usages -> usages.join().stream())
          .sorted(Comparator.comparing(Usage::kernel).thenComparing(Usage::device)).toList();
    } finally {
      processors.shutdownNow();
    }
  }

  private static List<Usage> usages(String file, Path folder) {
    String source = KernelSource.of(file).text();
    List<String> command = new ArrayList<>(List.of("nvcc", "-std=c++17", "-fatbin", "-Xptxas", "-v", "-include",
        Nvcc.SOURCES.resolve("common.cuh").toString(),
        Nvcc.SOURCES.resolve(file + ".cu").toString(), "-o", folder.resolve(file + ".fatbin").toString()));
    for (int device : DEVICES) {
      command.add("-gencode");
      command.add("arch=compute_" + FRONT_ENDS.getOrDefault(device, device) + ",code=sm_" + device);
    }
    Map<String, Integer> threads = new HashMap<>();
    BLOCK.matcher(source).results().forEach(kernel -> threads.put(kernel.group(2), Integer.valueOf(kernel.group(1))));
    assertEquals(KernelSignature.parse(source).keySet(), threads.keySet(), file + ": kernels without launch bounds");

    List<Usage> usages = new ArrayList<>();
    Matcher report = REPORT.matcher(Nvcc.run(command));
    while (report.find()) {
      String kernel = report.group(1);
      assertTrue(threads.containsKey(kernel), "a kernel that no source declares: " + kernel);
      int declared = report.group(7) == null ? 0 : number(report, 7);
      usages.add(new Usage(kernel, number(report, 2), threads.get(kernel), number(report, 3),
          number(report, 4) + number(report, 5), number(report, 6), declared + launchedShared(kernel)));
    }
    assertEquals(threads.size() * DEVICES.size(), usages.size(), file + ": reports of the assembler");
    usages.removeIf(usage -> usage.device() < FIRST_BF16 && usage.kernel().startsWith("attention")
        && usage.kernel().contains("_bf16_"));
    return usages;
  }

  /** Bytes that a launch asks for; only the tiles of attention do. */
  private static int launchedShared(String kernel) {
    Matcher tiled = TILED.matcher(kernel);
    if (!tiled.matches()) {
      return 0;
    }
    Precision precision = tiled.group(2) == null ? Precision.FP32 : Precision.FP16; // bf16 has the tiles of fp16
    AttentionTile.Pass pass = AttentionTile.Pass.valueOf(tiled.group(1).toUpperCase(Locale.ROOT));
    return AttentionTile.of(precision, pass, number(tiled, 3)).sharedBytes();
  }

  private static int number(Matcher matcher, int group) {
    return Integer.parseInt(matcher.group(group));
  }

  /** The kernels of spills.txt, each with its reason. */
  private static Set<String> allowed() throws IOException {
    Set<String> kernels = new TreeSet<>();
    Path file = Path.of("src", "test", "resources", "org", "diffusionrpo", "kernels", "cuda", "spills.txt");
    for (String line : Files.readAllLines(file)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        String[] parts = line.split(":", 2);
        assertFalse(parts.length < 2 || parts[1].isBlank(), "spills.txt gives no reason: " + line);
        kernels.add(parts[0].strip());
      }
    }
    return kernels;
  }
}
