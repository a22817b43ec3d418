package org.diffusionrpo.rpo.data;

import java.util.Locale;

/** What an image may be used for; fixed per concept, so that no concept is in two splits. */
public enum Split {
  TRAIN, VALIDATION, TEST;

  /** The name in files and on the command line. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The inverse of {@link #label}. */
  public static Split of(String label) {
    for (Split split : values()) {
      if (split.label().equals(label)) {
        return split;
      }
    }
    throw new IllegalArgumentException("split '" + label + "': expected train, validation or test");
  }
}
