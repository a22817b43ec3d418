package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

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
      for (Path folder : new LibraryFolders().all()) {
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
}
