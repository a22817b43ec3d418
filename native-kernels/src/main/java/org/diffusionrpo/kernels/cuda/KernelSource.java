package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * One {@code .cu} resource with {@code common.cuh} in front, which takes the place of #include: NVRTC has no files.
 *
 * @param file name without {@code .cu}
 */
record KernelSource(String file, String text) {
  /** All of them. */
  static final List<String> FILES = List.of("activations", "attention", "attention_mma", "convert", "elementwise",
      "embedding", "gemm", "group_norm", "im2col", "layer_norm", "optimizers", "reduce", "softmax", "upsample");

  static KernelSource of(String file) {
    return new KernelSource(file, resource("common.cuh") + resource(file + ".cu"));
  }

  /** The same source compiled ahead of time, or null where there is none; see {@link KernelCompiler}. */
  String ptx() {
    try (InputStream in = KernelSource.class.getResourceAsStream(file + ".ptx.gz")) {
      return in == null ? null : new String(new GZIPInputStream(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Hexadecimal SHA-256 of the text. */
  String hash() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = KernelSource.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("no kernel source " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
