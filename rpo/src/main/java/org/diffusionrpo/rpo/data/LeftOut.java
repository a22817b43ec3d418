package org.diffusionrpo.rpo.data;

/**
 * An entry that no training can use.
 *
 * @param unreadable true when an image cannot be decoded, false when something is not there
 * @param fault one line that names entry and fault
 */
public record LeftOut(boolean unreadable, String fault) implements PairEntry, DecodedEntry {
  /** Counts and names it. */
  public void addTo(LoadReport report) {
    if (unreadable) {
      report.addUnreadable(fault);
    } else {
      report.addMissing(fault);
    }
  }
}
