package org.diffusionrpo.kernels.cuda.emulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A CUDA device on the CPU: emulated driver, cuBLAS, cuDNN and NVRTC, built from {@code src/test/cpp/emulator} into
 * {@code native-kernels/target/emulator}. This class finds the libraries and steers the device; the product loads them
 * from {@link #libraries} like real ones.
 *
 * <p>There is one device per process. Tests that use it run one after the other, each from a {@link #reset}.
 */
public final class CudaEmulator {
  /** The order in which the libraries must be loaded: the others are linked to the driver. */
  public static final List<String> LIBRARIES = List.of("libcuda.so.1", "libcublas.so.12", "libcudnn.so.9",
      "libnvrtc.so.12");

  /** True: the tests run on the machine's own GPU, whose driver has the name of the emulated one. */
  public static final String REAL_DEVICE_PROPERTY = "drpo.test.gpu";

  private CudaEmulator() {}

  /** Why there is no emulator here, or null when there is one. */
  public static String missing() {
    if (Boolean.getBoolean(REAL_DEVICE_PROPERTY)) {
      return "the tests run on the machine's own GPU, and a process has one driver";
    }
    Path folder = folder();
    if (folder == null) {
      return "no folder native-kernels/target/emulator above " + Path.of("").toAbsolutePath();
    }
    Path reason = folder.resolve("missing.txt");
    try {
      if (Files.exists(reason)) {
        return Files.readString(reason).strip();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Files.exists(folder.resolve("stamp")) ? null : folder + " is not completely built";
  }

  /** The folder of the four libraries. */
  public static Path libraries() {
    String missing = missing();
    if (missing != null) {
      throw new IllegalStateException(missing);
    }
    return folder().resolve("lib");
  }

  /** A fresh device with default settings: nothing allocated, counted, broken or ordered. Old handles are invalid. */
  public static void reset() {
    Loaded.touch();
    reset0();
  }

  /** Holds until the next {@link #reset}. */
  public static void set(Knob knob, String value) {
    Loaded.touch();
    set0(knob.name(), value);
  }

  /**
   * The nth following call of a function (1: the next) returns the code and does nothing. A code that breaks a context
   * on a real device, such as 700 or 719, is from then on returned by every call of the driver until the context is
   * gone.
   *
   * @param call documented name, without {@code _v2}; for cuBLAS that of the C library, such as {@code cublasGemmEx}
   * @param code of the function's own library
   */
  public static void fail(String call, int nth, int code) {
    Loaded.touch();
    fail0(call, nth, code, false);
  }

  /** As {@link #fail}, but the device is lost: the call and every later call of the driver return the driver's code. */
  public static void lose(String call, int nth, int code) {
    Loaded.touch();
    fail0(call, nth, code, true);
  }

  /** How often each function was called since the last {@link #reset}. */
  public static Map<String, Integer> calls() {
    Loaded.touch();
    Map<String, Integer> counts = new TreeMap<>();
    String[] texts = calls0();
    for (int i = 0; i < texts.length; i += 2) {
      counts.put(texts[i], Integer.valueOf(texts[i + 1]));
    }
    return counts;
  }

  public static int calls(String function) {
    return calls().getOrDefault(function, 0);
  }

  /** What was created and not yet given back, one line each. */
  public static List<String> leaks() {
    Loaded.touch();
    return List.of(leaks0());
  }

  /** What the last fault or refused argument was, with kernel, block and thread where it was in a kernel; or "". */
  public static String lastFault() {
    Loaded.touch();
    return lastFault0();
  }

  /** Bytes of device memory in use. */
  public static long liveBytes() {
    Loaded.touch();
    return liveBytes0();
  }

  /** The build's folder, by the property {@code drpo.emulator} or above the working directory, or null. */
  private static Path folder() {
    String named = System.getProperty("drpo.emulator");
    if (named != null) {
      return Path.of(named).toAbsolutePath();
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path folder = at.resolve("native-kernels/target/emulator");
      if (Files.isDirectory(folder)) {
        return folder;
      }
    }
    return null;
  }

  /** Loads the driver, whose library holds the native methods below. Loading it twice is harmless. */
  private static final class Loaded {
    static {
      System.load(libraries().resolve(LIBRARIES.get(0)).toString());
    }

    static void touch() {}
  }

  private static native void reset0();

  private static native void set0(String knob, String value);

  private static native void fail0(String call, int nth, int code, boolean forever);

  private static native String[] calls0();

  private static native String[] leaks0();

  private static native String lastFault0();

  private static native long liveBytes0();
}
