package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/**
 * JCuda's own libraries, unpacked from its jars. JCuda would write them into java.io.tmpdir and take a file that is
 * there already as it is: two programs that start together could load half a file. So they are unpacked here, whole or
 * not at all, and JCuda finds them in the folder that it believes to be java.io.tmpdir.
 */
final class JcudaNatives {
  private static final String VERSION = "12.6.0";
  private static final List<String> NAMES = List.of("JCudaDriver", "JCublas2", "JCudnn", "JNvrtc");

  private JcudaNatives() {}

  static void load() {
    if (!"amd64".equals(System.getProperty("os.arch")) || !System.getProperty("os.name").startsWith("Linux")) {
      throw new CudaException("the cuda backend needs Linux on x86-64, this is " + System.getProperty("os.name") + " on "
          + System.getProperty("os.arch"));
    }
    Path folder = unpack();
    String before = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
      JCublas2.setExceptionsEnabled(false);
      JCudnn.setExceptionsEnabled(false);
      if (CudaLibraries.Library.NVRTC.find() != null) {
        JNvrtc.setExceptionsEnabled(false);
      }
    } catch (UnsatisfiedLinkError e) {
      throw new CudaException("JCuda's libraries do not load: " + e.getMessage().lines().findFirst().orElse(""), e);
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
  }

  private static Path unpack() {
    List<String> failures = new ArrayList<>();
    for (Path path : CacheFolder.open().paths()) {
      try {
        return unpack(path.resolve("jcuda-" + VERSION));
      } catch (IOException e) {
        failures.add(e.toString());
      }
    }
    throw new CudaException("cannot unpack JCuda's libraries (" + String.join(", ", failures) + "); name a folder for "
        + "them with -D" + CacheFolder.PROPERTY + "=DIR");
  }

  private static Path unpack(Path folder) throws IOException {
    for (String name : NAMES) {
      String file = "lib" + name + "-" + VERSION + "-linux-x86_64.so";
      byte[] bytes;
      try (InputStream in = JCudaDriver.class.getResourceAsStream("/lib/" + file)) {
        if (in == null) {
          throw new CudaException("the class path lacks JCuda's natives for Linux on x86-64 (" + file + ")");
        }
        bytes = in.readAllBytes();
      }
      Path target = folder.resolve(file);
      if (!Files.isRegularFile(target) || !Arrays.equals(Files.readAllBytes(target), bytes)) {
        CacheFolder.place(target, bytes);
      }
    }
    return folder;
  }
}
