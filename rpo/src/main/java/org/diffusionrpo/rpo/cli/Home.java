package org.diffusionrpo.rpo.cli;

import java.nio.file.Path;

/** Where the bundled model and data lie: in the checkout that the launcher script belongs to. */
public final class Home {
  /** The launcher sets it to the folder it lies in; without it that is the current folder. */
  private static final Path ROOT = Path.of(System.getProperty("drpo.home", "."));

  /** The small Stable Diffusion that every command takes unless {@code --model} names another. */
  public static final Path MODEL = ROOT.resolve("rpo/model").normalize();

  /** The bundled pictures of one concept in several styles. */
  public static final Path DATA = ROOT.resolve("rpo/data/emoji-styles.parquet").normalize();

  private Home() {}

  /** The folder of the launcher script. */
  public static Path root() {
    return ROOT;
  }
}
