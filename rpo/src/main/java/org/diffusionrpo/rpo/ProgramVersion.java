package org.diffusionrpo.rpo;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this program. */
public final class ProgramVersion {
  private static final String MAVEN_PROPERTIES = "/META-INF/maven/org.diffusionrpo/rpo/pom.properties";

  private ProgramVersion() {}

  /** For example {@code 0.1.0}; {@code development} when it runs from class files instead of a jar. */
  public static String current() {
    try (InputStream in = ProgramVersion.class.getResourceAsStream(MAVEN_PROPERTIES)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "development");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
