package org.diffusionrpo.kernels.cuda;

import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;

/**
 * The GPU of the tests: an emulated one, or the machine's own with {@code -Pgpu}. The emulated libraries are found only
 * while {@link #with} runs, so that everything else in the same process sees a machine without a GPU.
 */
public final class TestGpu {
  private static final boolean REAL = Boolean.getBoolean(CudaEmulator.REAL_DEVICE_PROPERTY);

  private TestGpu() {}

  public static boolean isReal() {
    return REAL;
  }

  /** Why this machine has neither, which is what the skipped tests show; null when it has. */
  public static String missing() {
    return REAL ? null : CudaEmulator.missing();
  }

  /** The same for computation in one precision, which older devices lack. */
  public static String missing(Precision precision) {
    String missing = missing();
    return missing != null ? missing : info().unfit(precision);
  }

  public static DeviceInfo info() {
    return with(() -> DeviceInfo.all().stream().findFirst()).orElseThrow(() ->
        new CudaException("the driver finds no GPU"));
  }

  /** Exact fp32; on the emulated device every access is checked against exact sizes, and fresh memory reads as NaN. */
  public static CudaOptions options() {
    return CudaOptions.DEFAULT.withPoison(!REAL);
  }

  public static CudaDevice open(CudaOptions options) {
    return with(() -> CudaDevice.open(options));
  }

  /** What opens a device. */
  @FunctionalInterface
  public interface Opener<T, E extends Exception> {
    T open() throws E;
  }

  /** Runs what opens a device. */
  public static <T, E extends Exception> T with(Opener<T, E> opener) throws E {
    if (REAL) {
      return opener.open();
    }
    String libraries = System.getProperty(CudaLibraries.PROPERTY);
    String only = System.getProperty(CudaLibraries.ONLY_PROPERTY);
    String cache = System.getProperty(CacheFolder.PROPERTY);
    System.setProperty(CudaLibraries.PROPERTY, CudaEmulator.libraries().toString());
    System.setProperty(CudaLibraries.ONLY_PROPERTY, "true");
    System.setProperty(CacheFolder.PROPERTY, CudaEmulator.libraries().resolveSibling("kernel-cache").toString());
    try {
      return opener.open();
    } finally {
      restore(CudaLibraries.PROPERTY, libraries);
      restore(CudaLibraries.ONLY_PROPERTY, only);
      restore(CacheFolder.PROPERTY, cache);
    }
  }

  private static void restore(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }
}
