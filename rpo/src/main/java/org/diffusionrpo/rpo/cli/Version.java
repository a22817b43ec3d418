package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of this program and of what it runs on. */
public final class Version implements IVersionProvider {
  private static final String MAVEN_PROPERTIES = "/META-INF/maven/org.diffusionrpo/rpo/pom.properties";

  /** For example {@code 0.1.0}; {@code development} when it runs from class files instead of a jar. */
  public static String current() {
    try (InputStream in = Version.class.getResourceAsStream(MAVEN_PROPERTIES)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "development");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String[] getVersion() {
    return new String[] {"drpo " + current(), "Java " + System.getProperty("java.runtime.version") + " ("
        + System.getProperty("java.vm.name") + "), " + System.getProperty("os.name") + " "
        + System.getProperty("os.arch")};
  }
}
