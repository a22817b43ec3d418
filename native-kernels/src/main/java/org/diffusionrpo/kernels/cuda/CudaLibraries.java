package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Finds NVIDIA's shared libraries, which JCuda's own ask for by name, and loads them before any class of JCuda: so what
 * is missing is an exception here and not the end of the process. The dynamic linker then takes the loaded ones.
 */
public final class CudaLibraries {
  /** Folders, separated by colons, that are searched before all others. */
  public static final String PROPERTY = "drpo.cuda.libraries";

  /** Set to true, none but these folders are searched: the machine looks as if it had nothing else. */
  public static final String ONLY_PROPERTY = "drpo.cuda.libraries.only";

  /** Set to false, kernels are taken as compiled ahead of time, whether NVRTC is there or not. */
  public static final String NVRTC_PROPERTY = "drpo.cuda.nvrtc";

  /** What libcudnn.so.9 opens for convolutions, in an order in which each finds what it is linked to. */
  private static final List<String> CUDNN_PARTS = List.of("graph", "ops", "cnn", "heuristic",
      "engines_runtime_compiled", "engines_precompiled");

  private static final long LARGEST_SHIM = 16L << 20;

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
      return CudaLibraries.find(file);
    }
  }

  private static Path find(String file) {
    for (Path folder : new LibraryFolders().all()) {
      Path path = folder.resolve(file);
      if (Files.isRegularFile(path)) {
        return path.toAbsolutePath();
      }
    }
    return null;
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
        try (DirectoryStream<Path> beside = Files.newDirectoryStream(path.getParent(), library.companions)) {
          beside.forEach(companion -> load(companion));
        }
      }
      if (library == Library.CUDNN && isShim(path)) {
        loadCudnnParts(path);
      }
    } catch (IOException e) {
      throw new CudaException(path + " cannot be looked at: " + e.getMessage(), e);
    }
    load(path);
  }

  private static void load(Path path) {
    try {
      System.load(path.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new CudaException(path + " does not load: " + e.getMessage()
          + (e.getMessage().contains("libz.so.1") ? "; install zlib (zlib1g)" : ""), e);
    }
  }

  /** Only NVIDIA's names the libraries that do the work. */
  private static boolean isShim(Path cudnn) throws IOException {
    return Files.size(cudnn) < LARGEST_SHIM
        && new String(Files.readAllBytes(cudnn), StandardCharsets.ISO_8859_1).contains("libcudnn_graph");
  }

  /** The shim opens them at the first calls, and ends the process where one is missing. */
  private static void loadCudnnParts(Path cudnn) {
    for (String part : CUDNN_PARTS) {
      String file = "libcudnn_" + part + ".so.9";
      Path beside = cudnn.resolveSibling(file);
      Path path = Files.isRegularFile(beside) ? beside : find(file);
      if (path == null) {
        throw new CudaException(cudnn + " needs " + file + ", which was not found; " + Library.CUDNN.advice());
      }
      load(path);
    }
  }
}
