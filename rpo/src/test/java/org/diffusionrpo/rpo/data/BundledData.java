package org.diffusionrpo.rpo.data;

import java.nio.file.Path;

/** Where tests find the bundled data set; they run in the module's folder. */
final class BundledData {
  static final Path FILE = Path.of("data", "emoji-styles.parquet");

  private BundledData() {}
}
