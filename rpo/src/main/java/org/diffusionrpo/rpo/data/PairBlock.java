package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.util.List;

/** Entries of a source that are read together: a row group of a Parquet file, some lines of a table. */
public interface PairBlock {
  /** Entries that may be pairs: their labels prefer one image. */
  int size();

  /** About how much memory the entries take once read, in bytes. */
  long bytes();

  /** A text that changes when the content does, known without reading it; null where only reading tells. */
  String identity();

  /** Reads all {@link #size} entries in their order; images stay encoded. May be called from any thread. */
  List<PairEntry> read() throws IOException;
}
