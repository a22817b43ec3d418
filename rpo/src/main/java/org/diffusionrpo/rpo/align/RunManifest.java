package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cpu.Parallel;
import org.diffusionrpo.kernels.cpu.Simd;
import org.diffusionrpo.tensor.io.Checksums;

/** What run.json says: every setting, the hashes of what went in, and what computed it. */
final class RunManifest {
  private RunManifest() {}

  static ObjectNode of(AlignSettings settings, Path model, Path data) throws IOException {
    ObjectNode manifest = new ObjectMapper().createObjectNode();
    ObjectNode values = manifest.putObject("settings");
    settings(settings).forEach(values::put);
    manifest.putObject("hashes")
        .put("model", hash(model))
        .put("data", hash(data));
    manifest.putObject("versions")
        .put("diffusion-rpo", version())
        .put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"))
        .put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"))
        .put("kernels", Simd.description())
        .put("threads", Parallel.threads());
    return manifest;
  }

  /** Every setting by name, as text. */
  static Map<String, String> settings(AlignSettings settings) {
    Map<String, String> values = new LinkedHashMap<>();
    for (Field field : AlignSettings.class.getFields()) {
      try {
        Object value = field.get(settings);
        values.put(field.getName(), value instanceof Enum<?> e ? e.name().toLowerCase(Locale.ROOT)
            : String.valueOf(value));
      } catch (IllegalAccessException e) {
        throw new AssertionError("settings are public fields", e);
      }
    }
    return values;
  }

  /** SHA-256 of a file, or of the names and hashes of all files of a folder. */
  static String hash(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return Checksums.sha256(path);
    }
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    List<Path> files;
    try (Stream<Path> tree = Files.walk(path)) {
      files = tree.filter(Files::isRegularFile).sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path file : files) {
      String line = path.relativize(file) + " " + Checksums.sha256(file) + "\n";
      digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String version() {
    String version = RunManifest.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
