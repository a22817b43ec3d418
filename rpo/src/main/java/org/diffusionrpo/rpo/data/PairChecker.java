package org.diffusionrpo.rpo.data;

import java.io.IOException;
import org.diffusionrpo.diffusion.image.ImageCodec;

/** The gate between a format and its consumer: decodes both images, sorts out ties, keeps the report. */
final class PairChecker {
  private static final double TIE = 0.5;

  private final PairSource.Consumer consumer;
  private final LoadReport report;

  PairChecker(PairSource.Consumer consumer, LoadReport report) {
    this.consumer = consumer;
    this.report = report;
  }

  LoadReport report() {
    return report;
  }

  /** Returns false when the consumer wants no more. */
  boolean offer(String id, String caption, byte[] winner, byte[] loser) throws IOException {
    if (!readable(winner, id + " (winner)") || !readable(loser, id + " (loser)")) {
      return true;
    }
    report.addPair();
    return consumer.accept(new PreferencePair(winner, loser, caption, id));
  }

  /** As {@link #offer}, with a label: above one half the first image is the winner, at one half there is none. */
  boolean offerLabelled(String id, String caption, byte[] first, byte[] second, double label) throws IOException {
    if (!(label >= 0 && label <= 1)) {
      report.addMissing(id + ": label_0 is " + label + ", expected 0 to 1");
      return true;
    }
    if (label == TIE) {
      report.addTie();
      return true;
    }
    return label > TIE ? offer(id, caption, first, second) : offer(id, caption, second, first);
  }

  private boolean readable(byte[] image, String name) {
    try {
      ImageCodec.decode(image, name);
      return true;
    } catch (IOException e) {
      report.addUnreadable(e.getMessage());
      return false;
    }
  }
}
