package org.diffusionrpo.kernels.cuda;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where NVIDIA's libraries may lie, in the order of the search: what the user names, what the profile cuda-libraries
 * fetched, Python's packages of the active environment, the system, its toolkits of CUDA 12, the linker's cache.
 */
final class LibraryFolders {
  /** Any toolkit of CUDA 12 has it. */
  private static final String OF_CUDA_12 = "libcudart.so.12";

  /** Where the profile cuda-libraries puts them, and below that, where they are in their jar. */
  private static final String DOWNLOADED = "cuda-12.6/org/bytedeco/cuda/linux-x86_64";

  private static final List<String> SYSTEM = List.of("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64",
      "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64");

  private final Map<String, String> environment;
  private final Path local;

  LibraryFolders() {
    this(System.getenv(), Path.of("/usr/local"));
  }

  /** @param local where toolkits are installed */
  LibraryFolders(Map<String, String> environment, Path local) {
    this.environment = environment;
    this.local = local;
  }

  Collection<Path> all() {
    Set<Path> folders = new LinkedHashSet<>(list(System.getProperty(CudaLibraries.PROPERTY)));
    if (Boolean.getBoolean(CudaLibraries.ONLY_PROPERTY)) {
      return folders;
    }
    folders.addAll(list(environment.get("LD_LIBRARY_PATH")));
    for (String home : List.of("CUDA_HOME", "CUDA_PATH")) {
      named(home).forEach(path -> folders.add(path.resolve("lib64")));
    }
    Path cache = UserFolders.cache();
    if (cache != null) {
      folders.add(cache.resolve(DOWNLOADED));
    }
    named("VIRTUAL_ENV").forEach(path -> folders.addAll(python(path)));
    named("CONDA_PREFIX").forEach(path -> {
      folders.add(path.resolve("lib"));
      folders.addAll(python(path));
    });
    SYSTEM.forEach(folder -> folders.add(Path.of(folder)));
    folders.addAll(toolkits());
    folders.add(Path.of("/opt/cuda/lib64"));
    folders.addAll(LinkerCache.FOLDERS);
    return folders;
  }

  private static List<Path> list(String folders) {
    List<Path> paths = new ArrayList<>();
    if (folders != null) {
      for (String folder : folders.split(File.pathSeparator)) {
        if (!folder.isEmpty()) {
          paths.add(Path.of(folder));
        }
      }
    }
    return paths;
  }

  private List<Path> named(String variable) {
    String value = environment.get(variable);
    return value == null || value.isEmpty() ? List.of() : List.of(Path.of(value));
  }

  /** The folders of nvidia-cublas-cu12, nvidia-cudnn-cu12 and nvidia-cuda-nvrtc-cu12. */
  private static List<Path> python(Path environment) {
    List<Path> folders = new ArrayList<>();
    for (Path python : matching(environment.resolve("lib"), "python3*")) {
      for (String name : List.of("cublas", "cudnn", "cuda_nvrtc")) {
        folders.add(python.resolve("site-packages/nvidia").resolve(name).resolve("lib"));
      }
    }
    return folders;
  }

  /**
   * {@code cuda/lib64}, which the user chose, if it is CUDA 12; then {@code cuda-12.x/lib64}, the newest first. A
   * toolkit of another CUDA comes last: it may have a cuDNN of the same name.
   */
  private List<Path> toolkits() {
    List<Path> folders = new ArrayList<>();
    for (Path home : matching(local, "cuda-12*")) {
      folders.add(home.resolve("lib64"));
    }
    folders.sort(Comparator.comparingInt(LibraryFolders::minorVersion).reversed());
    Path chosen = local.resolve("cuda/lib64");
    folders.add(Files.exists(chosen.resolve(OF_CUDA_12)) ? 0 : folders.size(), chosen);
    return folders;
  }

  /** The 10 of cuda-12.10, which is newer than cuda-12.9; -1 for cuda-12, a link to one of them. */
  private static int minorVersion(Path lib64) {
    String minor = lib64.getParent().getFileName().toString().replaceFirst("cuda-12\\.?", "");
    return minor.matches("\\d{1,4}") ? Integer.parseInt(minor) : -1;
  }

  private static List<Path> matching(Path folder, String pattern) {
    List<Path> paths = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, pattern)) {
      found.forEach(paths::add);
    } catch (IOException e) {
      return List.of(); // no such folder
    }
    paths.sort(null);
    return paths;
  }

  /** The folders in which the dynamic linker knows NVIDIA's libraries; asked for once. */
  private static final class LinkerCache {
    private static final List<Path> FOLDERS = read();

    private static List<Path> read() {
      Set<Path> folders = new LinkedHashSet<>();
      try {
        Process ldconfig = new ProcessBuilder("/sbin/ldconfig", "-p").redirectErrorStream(true).start();
        try (BufferedReader lines = new BufferedReader(
            new InputStreamReader(ldconfig.getInputStream(), StandardCharsets.UTF_8))) {
          for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            int arrow = line.indexOf(" => ");
            if (arrow > 0 && line.strip().matches("lib(cuda|cublas|cudnn|nvrtc)\\.so\\..*x86-64.*")) {
              folders.add(Path.of(line.substring(arrow + 4).strip()).getParent());
            }
          }
        }
      } catch (IOException e) {
        return List.of(); // another C library, without ldconfig
      }
      return List.copyOf(folders);
    }
  }
}
