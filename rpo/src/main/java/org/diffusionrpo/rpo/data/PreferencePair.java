package org.diffusionrpo.rpo.data;

/**
 * Two pictures for one caption, of which the winner is preferred.
 *
 * @param winner an encoded picture (PNG, JPEG, WebP, ...)
 * @param loser an encoded picture
 * @param id where the pair comes from, such as {@code train-00000.parquet#17}; names the pair in reports
 */
public record PreferencePair(byte[] winner, byte[] loser, String caption, String id)
    implements PairEntry {
  /** Bytes of both encoded pictures. */
  long size() {
    return (long) winner.length + loser.length;
  }

  /** The same pictures with the other preference. */
  public PreferencePair swapped() {
    return new PreferencePair(loser, winner, caption, id);
  }
}
