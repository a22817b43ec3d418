package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The PyTorch project's own CPU build of libtorch (with MKL), as the DJL project ships it, under JavaCPP's layer for the
 * same version: faster than JavaCPP's build with OpenBLAS. Both come from Maven Central and are unpacked once.
 */
final class Libtorch {
  private static final String PLATFORM = "linux-x86_64";
  private static final String OFFICIAL_JAR = "pytorch-native-cpu-[\\d.]+-" + PLATFORM + "\\.jar";
  private static final String JAVACPP_JAR = "pytorch-[\\d.]+-[\\d.]+-" + PLATFORM + "\\.jar";
  /** Where JavaCPP looks for them. */
  private static final String LIBRARIES = "org/bytedeco/pytorch/" + PLATFORM;
  private static final String LAYER = "libjnitorch.so";
  /** MKL takes its AVX-512 kernels only where this function of its own says that the CPU is Intel's. */
  private static final String ANY_CPU = "int mkl_serv_intel_cpu_true(void) { return 1; }\n";

  private final Path folder;
  private final List<String> classPath;

  private Libtorch(Path folder, List<String> classPath) {
    this.folder = folder;
    this.classPath = classPath;
  }

  /**
   * Unpacks the libraries unless a former call did.
   *
   * @param folder for 480 MB
   * @param classPath of this process
   */
  static Libtorch unpack(Path folder, List<String> classPath) throws IOException {
    Path official = find(classPath, OFFICIAL_JAR);
    Path layer = find(classPath, JAVACPP_JAR);
    Path libraries = folder.resolve(LIBRARIES);
    Files.createDirectories(libraries);
    if (!Files.exists(libraries.resolve(LAYER))) {
      unpack(official, "pytorch/cpu/" + PLATFORM + "/", "", libraries);
      unpack(layer, LIBRARIES + "/", LAYER, libraries); // last: tells that all are there
    }
    List<String> entries = new ArrayList<>(classPath);
    entries.removeIf(entry -> entry.equals(official.toString()) || entry.equals(layer.toString()));
    entries.add(folder.toString());
    return new Libtorch(folder, entries);
  }

  private static Path find(List<String> classPath, String name) throws IOException {
    return classPath.stream().map(Path::of).filter(path -> path.getFileName().toString().matches(name)).findFirst()
        .orElseThrow(() -> new IOException("libtorch is not on the class path: build with -Poracle (Linux on x86-64)"));
  }

  /** Copies the files under {@code prefix} of which the name begins with {@code start}. */
  private static void unpack(Path jar, String prefix, String start, Path to) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements();) {
        ZipEntry entry = entries.nextElement();
        String name = entry.getName();
        if (name.startsWith(prefix + start) && name.contains(".so")) {
          Path partial = to.resolve("partial");
          try (InputStream in = zip.getInputStream(entry)) {
            Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
          }
          Files.move(partial, to.resolve(name.substring(prefix.length())), StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  /** The class path with these libraries in the place of JavaCPP's. */
  List<String> classPath() {
    return classPath;
  }

  /** Lets the dynamic linker find the libraries. */
  void locate(Map<String, String> environment) {
    environment.put("LD_LIBRARY_PATH", folder.resolve(LIBRARIES).toString());
  }

  /**
   * glibc keeps freed memory, where it would give each large tensor back to the system and fetch it anew, page by page.
   * MKL uses AVX-512 on every CPU that has it.
   */
  void tune(Map<String, String> environment) throws IOException, InterruptedException {
    environment.put("MALLOC_ARENA_MAX", "1");
    environment.put("MALLOC_MMAP_MAX_", "0");
    environment.put("MALLOC_TRIM_THRESHOLD_", "1000000000000");
    environment.put("MALLOC_TOP_PAD_", "268435456");
    if (!Files.readString(Path.of("/proc/cpuinfo")).contains("GenuineIntel")) {
      environment.put("LD_PRELOAD", anyCpu().toString());
    }
  }

  private Path anyCpu() throws IOException, InterruptedException {
    Path library = folder.resolve("mkl-any-cpu.so");
    if (!Files.exists(library)) {
      Path source = folder.resolve("mkl-any-cpu.c");
      Files.writeString(source, ANY_CPU);
      Process compiler = new ProcessBuilder("cc", "-shared", "-fPIC", "-O2", "-o", library.toString(), source.toString())
          .inheritIO().start();
      if (!compiler.waitFor(1, TimeUnit.MINUTES) || compiler.exitValue() != 0) {
        throw new IOException("cc could not compile " + source + ", which tuning libtorch needs on this CPU");
      }
    }
    return library;
  }
}
