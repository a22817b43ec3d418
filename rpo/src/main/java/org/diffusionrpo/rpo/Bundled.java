package org.diffusionrpo.rpo;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the model and the data that come with the project lie. */
public final class Bundled {
  private Bundled() {}

  /** The project's folder: {@code -Ddrpo.home}, which the launcher sets, else the current folder. */
  public static Path home() {
    return Path.of(System.getProperty("drpo.home", ""));
  }

  /** The small Stable Diffusion, in the layout of diffusers. */
  public static Path model() {
    return home().resolve("rpo").resolve("model");
  }

  /** The styled images. */
  public static Path data() {
    return home().resolve("rpo").resolve("data").resolve("emoji-styles.parquet");
  }

  /** The judge of styles, made by {@code ./drpo pretrain style}. */
  public static Path styleClassifier() {
    return home().resolve("rpo").resolve("data").resolve("style-classifier.json");
  }

  /** Fails with the way to mend it when a bundled file is asked for but not there. */
  public static Path require(Path path) {
    if (!Files.exists(path)) {
      throw new IllegalArgumentException(path + ": not found; start ./drpo from a clone of the repository, or set "
          + "-Ddrpo.home to it");
    }
    return path;
  }
}
