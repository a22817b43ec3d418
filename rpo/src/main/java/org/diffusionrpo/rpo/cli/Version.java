package org.diffusionrpo.rpo.cli;

import org.diffusionrpo.rpo.ProgramVersion;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: the version of this program and of what it runs on. */
public final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {"drpo " + ProgramVersion.current(), "Java " + System.getProperty("java.runtime.version") + " ("
        + System.getProperty("java.vm.name") + "), " + System.getProperty("os.name") + " "
        + System.getProperty("os.arch")};
  }
}
