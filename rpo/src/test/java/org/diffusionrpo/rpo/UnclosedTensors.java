package org.diffusionrpo.rpo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.diffusionrpo.tensor.cuda.CudaBackend;
import org.slf4j.LoggerFactory;

/**
 * Hears what a GPU backend says of tensors that nobody closed before it. Java's collector would never give such memory
 * back to a device.
 */
public final class UnclosedTensors implements AutoCloseable {
  private final Logger logger = (Logger) LoggerFactory.getLogger(CudaBackend.class);
  private final Level before = logger.getLevel();
  private final ListAppender<ILoggingEvent> heard = new ListAppender<>();

  public UnclosedTensors() {
    logger.setLevel(Level.DEBUG);
    logger.setAdditive(false);
    heard.start();
    logger.addAppender(heard);
  }

  public void assertNone() {
    assertEquals(List.of(), heard.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
  }

  @Override
  public void close() {
    logger.detachAppender(heard);
    logger.setAdditive(true);
    logger.setLevel(before);
  }
}
