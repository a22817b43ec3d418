package org.diffusionrpo.kernels.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What has been acquired so far, released in reverse order. A constructor that fails half way closes its resources and
 * leaves nothing behind:
 *
 * <pre>{@code
 * try {
 *   check(create(a));
 *   resources.add(() -> destroy(a));
 *   check(create(b));
 *   resources.add(() -> destroy(b));
 * } catch (RuntimeException | Error e) {
 *   resources.close();
 *   throw e;
 * }
 * }</pre>
 */
final class Resources implements AutoCloseable {
  private final Deque<Runnable> releases = new ArrayDeque<>();

  /** The codes of releasing calls are ignored: after a lost device they all fail, and the first error was reported. */
  void add(Runnable release) {
    releases.push(release);
  }

  @Override
  public void close() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
  }
}
