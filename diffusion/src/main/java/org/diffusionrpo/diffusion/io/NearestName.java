package org.diffusionrpo.diffusion.io;

import java.util.Collection;

/** Finds the known name that a misspelled one was most likely meant to be. */
public final class NearestName {
  private NearestName() {}

  /** The name with the fewest edits, or null when even that differs in more than a third of its characters. */
  public static String of(String name, Collection<String> known) {
    String nearest = null;
    int least = name.length() / 3 + 1;
    for (String candidate : known) {
      if (Math.abs(candidate.length() - name.length()) < least) {
        int edits = edits(name, candidate);
        if (edits < least) {
          least = edits;
          nearest = candidate;
        }
      }
    }
    return nearest;
  }

  /** Levenshtein's distance, one row of the table at a time. */
  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
