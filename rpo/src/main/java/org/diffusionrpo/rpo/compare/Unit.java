package org.diffusionrpo.rpo.compare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.diffusionrpo.rpo.ProgramVersion;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.RunManifest;
import org.diffusionrpo.rpo.data.Split;

/**
 * One piece of a comparison: a method with one set of values and one seed, trained and measured. Its folder's name ends
 * in a hash of everything that its result depends on, so a finished unit is never repeated and never mistaken.
 *
 * @param settings complete settings
 * @param folder holds result.json once the unit is finished
 */
record Unit(Method method, Candidate candidate, Split split, AlignSettings settings, Path folder) {
  /** Settings that do not change a result. */
  private static final Set<String> FREE = Set.of("out", "resume", "backend", "checkpointEvery", "microBatch",
      "gradientCheckpointing", "model", "clip");
  private static final int HASH_LENGTH = 8;

  /** @param inputs hashes of model, data and judges */
  static Unit of(Method method, Candidate candidate, Split split, AlignSettings settings, String inputs) {
    String values = candidate == null ? "" : "-lr" + Candidate.number(candidate.lr())
        + (method == Method.SFT ? "" : "-beta" + Candidate.number(candidate.beta()));
    String name = method.label() + values + "-seed" + settings.seed + "-" + hash(method, split, settings, inputs);
    return new Unit(method, candidate, split, settings, settings.out.resolve(phase(split)).resolve(name));
  }

  /** For example {@code search/dpo-lr1e-4-beta2000-seed0-1a2b3c4d}. */
  String name() {
    return phase(split) + "/" + folder.getFileName();
  }

  Path resultFile() {
    return folder.resolve("result.json");
  }

  /** The picture of the i-th prompt. */
  Path picture(int i) {
    return folder.resolve("pictures").resolve(String.format("%03d.png", i));
  }

  Optional<UnitResult> result() throws IOException {
    return UnitResult.read(resultFile());
  }

  private static String phase(Split split) {
    return split == Split.TEST ? "result" : "search";
  }

  private static String hash(Method method, Split split, AlignSettings settings, String inputs) {
    StringBuilder all = new StringBuilder(
        method + "\n" + split + "\n" + inputs + "\n" + ProgramVersion.current() + "\n");
    for (Map.Entry<String, String> setting : RunManifest.settings(settings).entrySet()) {
      if (!FREE.contains(setting.getKey())) {
        all.append(setting.getKey()).append('=').append(setting.getValue()).append('\n');
      }
    }
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(all.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, HASH_LENGTH);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
