package org.diffusionrpo.tensor.io;

/** Text from files made fit for a message of one line. */
final class Messages {
  private static final int LONGEST = 200;

  private Messages() {}

  /** The text in quotes, its control characters replaced, its end cut off when long. */
  static String quote(String text) {
    return '"' + line(text) + '"';
  }

  /** The text with control characters replaced and its end cut off when long. */
  static String line(String text) {
    String head = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
    return head.replaceAll("\\R|\\p{Cntrl}", " ");
  }
}
