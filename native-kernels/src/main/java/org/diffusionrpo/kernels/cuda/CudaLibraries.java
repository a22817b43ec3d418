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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds NVIDIA's shared libraries, which JCuda's own ask for by name, and loads them before any class of JCuda: so what
 * is missing is an exception here and not the end of the process. The dynamic linker then takes the loaded ones.
 */
public final class CudaLibraries {
  /** Folders, separated by colons, that are searched before all others. */
  public static final String PROPERTY = "drpo.cuda.libraries";

  /** Set to false, kernels are taken as compiled ahead of time, whether NVRTC is there or not. */
  public static final String NVRTC_PROPERTY = "drpo.cuda.nvrtc";

  private static final List<String> SYSTEM_FOLDERS = List.of("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu",
      "/usr/lib64", "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/usr/local/cuda/lib64", "/opt/cuda/lib64");

  private static boolean loaded;

  private CudaLibraries() {}

  /** In the order of loading. */
  public enum Library {
    DRIVER("libcuda.so.1", true, null, "install NVIDIA's driver, R525 or newer, and start the machine again"),
    CUBLAS("libcublas.so.12", true, "libcublasLt.so.12*", "install cuBLAS of CUDA 12 (libcublas-12-6)"),
    CUDNN("libcudnn.so.9", true, null, "install cuDNN 9 for CUDA 12 (libcudnn9-cuda-12)"),
    /** Without it the kernels that were compiled ahead of time are used. */
    NVRTC("libnvrtc.so.12", false, "libnvrtc-builtins.so.12.*",
        "install NVRTC of CUDA 12 (cuda-nvrtc-12-6)");

    private final String file;
    private final boolean required;
    private final String companions;
    private final String advice;

    /** @param companions pattern of files beside it that it asks for by name, where the linker may not look */
    Library(String file, boolean required, String companions, String advice) {
      this.file = file;
      this.required = required;
      this.companions = companions;
      this.advice = advice;
    }

    public String file() {
      return file;
    }

    public boolean isRequired() {
      return required;
    }

    /** What to do when it is missing. */
    public String advice() {
      return this == DRIVER ? advice
          : advice + ", or take it from Maven Central: mvn -Pcuda-libraries -pl native-kernels generate-resources";
    }

    /** Where it is, or null. */
    public Path find() {
      if (this == NVRTC && "false".equals(System.getProperty(NVRTC_PROPERTY))) {
        return null;
      }
      for (Path folder : folders()) {
        Path path = folder.resolve(file);
        if (Files.isRegularFile(path)) {
          return path;
        }
      }
      return null;
    }
  }

  /** Whether a GPU can be asked for at all. */
  public static boolean hasDriver() {
    return Library.DRIVER.find() != null;
  }

  /** @throws CudaException naming the first required library that is missing or does not load */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    for (Library library : Library.values()) {
      Path path = library.find();
      if (path != null) {
        load(library, path);
      } else if (library.required) {
        throw new CudaException(library.file + " was not found; " + library.advice());
      }
    }
    JcudaNatives.load();
    loaded = true;
  }

  private static void load(Library library, Path path) {
    try {
      if (library.companions != null) {
        try (DirectoryStream<Path> beside = Files.newDirectoryStream(path.toAbsolutePath().getParent(),
            library.companions)) {
          beside.forEach(companion -> System.load(companion.toString()));
        }
      }
      System.load(path.toAbsolutePath().toString());
    } catch (IOException e) {
      throw new CudaException(path + " cannot be looked at: " + e.getMessage(), e);
    } catch (UnsatisfiedLinkError e) {
      throw new CudaException(path + " does not load: " + e.getMessage(), e);
    }
  }

  private static Collection<Path> folders() {
    Set<Path> folders = new LinkedHashSet<>();
    addAll(folders, System.getProperty(PROPERTY));
    addAll(folders, System.getenv("LD_LIBRARY_PATH"));
    for (String home : new String[] {System.getenv("CUDA_HOME"), System.getenv("CUDA_PATH")}) {
      if (home != null && !home.isEmpty()) {
        folders.add(Path.of(home, "lib64"));
      }
    }
    String project = System.getProperty("drpo.home");
    if (project != null) { // where the profile cuda-libraries puts them
      folders.add(Path.of(project, "native-kernels", "target", "cuda-libraries", "org", "bytedeco", "cuda",
          "linux-x86_64"));
    }
    SYSTEM_FOLDERS.forEach(folder -> folders.add(Path.of(folder)));
    folders.addAll(toolkits());
    folders.addAll(LinkerCache.FOLDERS);
    return folders;
  }

  private static void addAll(Set<Path> folders, String list) {
    if (list != null) {
      for (String folder : list.split(File.pathSeparator)) {
        if (!folder.isEmpty()) {
          folders.add(Path.of(folder));
        }
      }
    }
  }

  /** {@code /usr/local/cuda-12.x/lib64}, of which several may be installed. */
  private static List<Path> toolkits() {
    List<Path> folders = new ArrayList<>();
    try (DirectoryStream<Path> homes = Files.newDirectoryStream(Path.of("/usr/local"), "cuda-12*")) {
      homes.forEach(home -> folders.add(home.resolve("lib64")));
    } catch (IOException e) {
      return List.of(); // no such folder
    }
    folders.sort(null);
    return folders;
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
