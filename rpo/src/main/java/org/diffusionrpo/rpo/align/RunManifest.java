package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
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
import org.diffusionrpo.rpo.ProgramVersion;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairEntry;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.Checksums;

/** What run.json says: every setting, the hashes of what went in, and what computed it. */
public final class RunManifest {
  private RunManifest() {}

  /**
   * Hashes the pairs beside their source: a table of paths stays the same when its pictures change.
   *
   * @param clip null when no update depends on a CLIP
   */
  static ObjectNode of(AlignSettings settings, Path model, Path clip, AlignData data) throws IOException {
    ObjectNode manifest = new ObjectMapper().createObjectNode();
    ObjectNode values = manifest.putObject("settings");
    settings(settings).forEach(values::put);
    ObjectNode hashes = manifest.putObject("hashes").put("model", hash(model));
    if (data.pairs() == null) { // may be hundreds of gigabytes
      hashes.put("pairs", hashBlocks(data.blocks()));
    } else {
      hashes.put("data", hash(data.source())).put("pairs", hash(data.pairs()));
    }
    putHash(hashes, "unet", settings.unet);
    putHash(hashes, "vae", settings.vae);
    putHash(hashes, "tokenizer", settings.tokenizer);
    putHash(hashes, "model_config", settings.modelConfig);
    putHash(hashes, "choice_clip", settings.choiceModel == null ? null
        : settings.choiceClip == null ? settings.clip : settings.choiceClip);
    if (clip != null) {
      hashes.put("clip", hash(clip));
    }
    manifest.putObject("versions")
        .put("diffusion-rpo", ProgramVersion.current())
        .put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"))
        .put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"))
        .put("kernels", Simd.description())
        .put("threads", Parallel.threads());
    return manifest;
  }

  /** Adds what the run computes on, which its settings may leave open. */
  static void put(ObjectNode manifest, Backend backend) {
    ((ObjectNode) manifest.get("versions")).put("backend", backend.describe());
  }

  private static void putHash(ObjectNode hashes, String name, Path path) throws IOException {
    if (path != null) {
      hashes.put(name, hash(path));
    }
  }

  /** Every setting by name, as text. */
  public static Map<String, String> settings(AlignSettings settings) {
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

  /** SHA-256 of a file, or of the names and hashes of all files of a folder, through symbolic links. */
  public static String hash(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return Checksums.sha256(path);
    }
    MessageDigest digest = sha256();
    List<Path> files;
    try (Stream<Path> tree = Files.walk(path, FileVisitOption.FOLLOW_LINKS)) {
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

  private static String hash(List<PreferencePair> pairs) {
    MessageDigest digest = sha256();
    pairs.forEach(pair -> update(digest, pair));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void update(MessageDigest digest, PreferencePair pair) {
    String head = pair.caption() + "\n" + pair.winner().length + " " + pair.loser().length + "\n";
    digest.update(head.getBytes(StandardCharsets.UTF_8));
    digest.update(pair.winner());
    digest.update(pair.loser());
  }

  /** By what names the content of a block without its pictures where there is such a thing, else by content. */
  private static String hashBlocks(List<PairBlock> blocks) throws IOException {
    MessageDigest digest = sha256();
    for (PairBlock block : blocks) {
      if (block.identity() != null) {
        digest.update((block.identity() + "\n").getBytes(StandardCharsets.UTF_8));
        continue;
      }
      for (PairEntry entry : block.read()) {
        if (entry instanceof PreferencePair pair) {
          update(digest, pair);
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
