package org.diffusionrpo.rpo.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C and kill as a wish that long commands look at between steps, so that they end cleanly and keep what they have.
 * The virtual machine then exits by itself, with 130 after Ctrl-C.
 */
public final class Interruption {
  /** Exit code of a command that the user interrupted, as shells report it. */
  public static final int EXIT_CODE = 130;
  /** A step and a checkpoint of a large model take long; after this the process ends all the same. */
  private static final int PATIENCE_SECONDS = 120;

  private static final CountDownLatch FINISHED = new CountDownLatch(1);
  private static volatile boolean requested;

  private Interruption() {}

  /** Begins to listen. */
  static void install() {
    Runtime.getRuntime().addShutdownHook(new Thread(Interruption::shutdown, "drpo-interruption"));
  }

  /** True once the user wants the program to end. */
  public static boolean requested() {
    return requested;
  }

  /** Ends the program, or lets the shutdown that is under way do so. */
  static void exit(int code) {
    boolean underWay = requested;
    FINISHED.countDown();
    if (!underWay) {
      System.exit(code);
    }
  }

  private static void shutdown() {
    if (FINISHED.getCount() == 0) {
      return;
    }
    requested = true;
    System.err.println("\ndrpo: interrupted, ending after the current step");
    try {
      FINISHED.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
