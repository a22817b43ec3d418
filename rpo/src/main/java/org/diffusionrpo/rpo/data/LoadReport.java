package org.diffusionrpo.rpo.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** What became of the entries of a {@link PairSource}: how many pairs, and what was left out and why. */
public final class LoadReport {
  /** So many names are kept of each kind; the counts are exact. */
  static final int NAMED = 20;

  private long pairs;
  private long ties;
  private long unreadable;
  private long missing;
  private final List<String> unreadableNames = new ArrayList<>();
  private final List<String> missingNames = new ArrayList<>();

  /** Counts a pair that is handed over. */
  public void addPair() {
    pairs++;
  }

  void addTie() {
    ties++;
  }

  void addUnreadable(String fault) {
    unreadable++;
    note(unreadableNames, fault);
  }

  void addMissing(String fault) {
    missing++;
    note(missingNames, fault);
  }

  private static void note(List<String> names, String name) {
    if (names.size() < NAMED) {
      names.add(name);
    }
  }

  /** Pairs handed over. */
  public long pairs() {
    return pairs;
  }

  /** Entries without a preference. */
  public long ties() {
    return ties;
  }

  /** Entries left out because an image cannot be decoded. */
  public long unreadable() {
    return unreadable;
  }

  /** Entries left out because an image, its caption or its label is not there. */
  public long missing() {
    return missing;
  }

  /** The first unreadable images, each with its fault. */
  public List<String> unreadableNames() {
    return Collections.unmodifiableList(unreadableNames);
  }

  /** The first missing things, each with the entry that asks for it. */
  public List<String> missingNames() {
    return Collections.unmodifiableList(missingNames);
  }

  /** One line of counts, then one indented line for each named fault. */
  @Override public String toString() {
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT,
        "%,d pairs; dropped: %,d ties, %,d with unreadable images, %,d incomplete", pairs, ties, unreadable, missing));
    append(text, unreadableNames, unreadable);
    append(text, missingNames, missing);
    return text.toString();
  }

  private static void append(StringBuilder text, List<String> names, long count) {
    names.forEach(name -> text.append("\n  ").append(name));
    if (count > names.size()) {
      text.append("\n  and ").append(count - names.size()).append(" more like this");
    }
  }
}
