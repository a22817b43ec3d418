package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.lora.LoraFile;
import org.diffusionrpo.tensor.io.AtomicFiles;

/** The files of one run and the rule that a folder belongs to one run. */
final class RunFolder {
  static final String SAMPLES = "samples.png";
  static final String METRICS = "metrics.jsonl";
  static final String REPORT = "report.html";
  static final String LORA = "lora/" + LoraFile.DIFFUSERS_NAME;

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Settings that may differ when a run is resumed: they do not change what an update does, the backend but for
   * rounding. Neither do steps, under a learning rate that does not depend on them.
   */
  private static final Set<String> FREE =
      Set.of("microBatch", "resume", "out", "checkpointEvery", "samples", "evaluate", "sampleSteps", "guidance",
          "gradientCheckpointing", "backend", "saveDtype", "loraFormat");

  private final Path path;

  private RunFolder(Path path) {
    this.path = path;
  }

  /**
   * Checks the folder of a run and writes nothing. A folder with something in it is only taken to resume the very run
   * that it holds.
   *
   * @param manifest every setting, hash and version of this run
   */
  static RunFolder open(Path path, ObjectNode manifest, boolean resume) throws IOException {
    RunFolder folder = new RunFolder(path);
    if (Files.exists(path) && !Files.isDirectory(path)) {
      throw new IllegalArgumentException("--out " + path + ": is a file, expected a folder");
    }
    if (Files.exists(folder.manifest())) {
      if (!resume) {
        throw new IllegalArgumentException("--out " + path + ": holds a run already; continue it with --resume or choose "
            + "another folder");
      }
      folder.requireSameRun(manifest);
    } else if (Files.isDirectory(path) && !isEmpty(path)) {
      throw new IllegalArgumentException("--out " + path + ": is not empty and holds no run");
    }
    return folder;
  }

  /** Begins or continues the run. */
  void create(ObjectNode manifest) throws IOException {
    Files.createDirectories(path);
    writeManifest(manifest);
  }

  Path path() {
    return path;
  }

  Path manifest() {
    return path.resolve("run.json");
  }

  Path metrics() {
    return path.resolve(METRICS);
  }

  Path checkpoints() {
    return path.resolve("checkpoints");
  }

  Path model() {
    return path.resolve("model");
  }

  /** The adapters of a run with {@code --lora}. */
  Path lora() {
    return path.resolve(LORA);
  }

  Path samples() {
    return path.resolve(SAMPLES);
  }

  Path report() {
    return path.resolve(REPORT);
  }

  void writeManifest(ObjectNode manifest) throws IOException {
    AtomicFiles.write(manifest(), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(manifest) + "\n");
  }

  private void requireSameRun(ObjectNode manifest) throws IOException {
    JsonNode old;
    try {
      old = JSON.readTree(manifest().toFile());
    } catch (IOException e) {
      throw new IOException(manifest() + ": cannot be read: " + e.getMessage(), e);
    }
    Map<String, String> defaults = RunManifest.settings(new AlignSettings());
    List<String> differences = new ArrayList<>();
    for (String part : List.of("settings", "hashes")) {
      for (Map.Entry<String, JsonNode> entry : manifest.path(part).properties()) {
        JsonNode recorded = old.path(part).path(entry.getKey());
        boolean older = recorded.isMissingNode() && part.equals("settings"); // than this setting
        String before = older ? defaults.get(entry.getKey()) : recorded.asText();
        if (!isFree(entry.getKey(), manifest) && !before.equals(entry.getValue().asText())) {
          differences.add(entry.getKey() + " was " + before + " and is now " + entry.getValue().asText());
        }
      }
    }
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException("--resume " + path + ": the run there is another one: "
          + String.join("; ", differences));
    }
  }

  private static boolean isFree(String setting, ObjectNode manifest) {
    boolean constantRate = manifest.path("settings").path("lrSchedule").asText().equals("constant");
    return FREE.contains(setting) || setting.equals("steps") && constantRate;
  }

  /** True also for what is left of a run that was killed while it wrote its first file. */
  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.allMatch(AtomicFiles::isTemporary);
    }
  }
}
