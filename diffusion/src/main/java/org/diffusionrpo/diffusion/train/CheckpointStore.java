package org.diffusionrpo.diffusion.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.io.Checksums;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of a run, one folder each. A folder counts only when its manifest of SHA-256 sums, written last,
 * fits its files; so a run that was killed at any moment leaves the checkpoint before intact.
 */
public final class CheckpointStore {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointStore.class);
  private static final Pattern NAME = Pattern.compile("step-(\\d{8})");
  private static final String STATE = "state.safetensors";

  private final Path folder;
  private final int kept;
  /** Found by {@link #latest}. */
  private final Set<Path> damaged = new HashSet<>();

  /** A checkpoint that can be loaded. */
  public record Checkpoint(int step, Path state) {}

  /** @param kept how many of the newest to keep */
  public CheckpointStore(Path folder, int kept) {
    if (kept < 1) {
      throw new IllegalArgumentException("checkpoints to keep: " + kept + ", expected 1 or more");
    }
    this.folder = folder;
    this.kept = kept;
  }

  /**
   * Writes the state after {@code step} updates and then removes the oldest checkpoints beyond the number kept. Those
   * of later updates and damaged ones that a resume has passed over do not count.
   *
   * @param notes see {@link TrainState#save}
   */
  public void save(int step, TrainState state, Map<String, String> notes) throws IOException {
    Path target = path(step);
    delete(target); // a damaged one of the same step
    Files.createDirectories(target);
    state.save(target.resolve(STATE), notes);
    Checksums.write(target);
    damaged.remove(target);
    List<Path> old = newestFirst().stream().filter(path -> step(path) <= step && !damaged.contains(path)).skip(kept)
        .toList();
    for (Path path : old) {
      delete(path);
    }
  }

  /** Updates of the newest checkpoint, whole or not, as its name tells; 0 if there is none. */
  public int newestStep() throws IOException {
    return newestFirst().stream().findFirst().map(CheckpointStore::step).orElse(0);
  }

  /** The newest checkpoint whose files are whole; damaged ones are passed over with a warning. */
  public Optional<Checkpoint> latest() throws IOException {
    for (Path candidate : newestFirst()) {
      try {
        Checksums.verify(candidate);
        return Optional.of(new Checkpoint(step(candidate), candidate.resolve(STATE)));
      } catch (IOException e) {
        damaged.add(candidate);
        LOG.warn("Passing over the damaged checkpoint {}: {}", candidate, e.getMessage());
      }
    }
    return Optional.empty();
  }

  /** Removes the checkpoint of an update, if there is one. */
  void remove(int step) throws IOException {
    delete(path(step));
  }

  /** Removes all checkpoints and the folder, unless something else lies in it. */
  public void clear() throws IOException {
    for (Path checkpoint : newestFirst()) {
      delete(checkpoint);
    }
    if (Files.isDirectory(folder)) {
      try (Stream<Path> children = Files.list(folder)) {
        if (children.findAny().isPresent()) {
          return;
        }
      }
      Files.delete(folder);
    }
  }

  private Path path(int step) {
    return folder.resolve(String.format(Locale.ROOT, "step-%08d", step));
  }

  private List<Path> newestFirst() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(folder)) {
      return children.filter(path -> NAME.matcher(path.getFileName().toString()).matches())
          .sorted(Comparator.comparingInt(CheckpointStore::step).reversed()).toList();
    }
  }

  private static int step(Path checkpoint) {
    Matcher matcher = NAME.matcher(checkpoint.getFileName().toString());
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
  }

  private static void delete(Path checkpoint) throws IOException {
    if (!Files.exists(checkpoint)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(checkpoint)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
