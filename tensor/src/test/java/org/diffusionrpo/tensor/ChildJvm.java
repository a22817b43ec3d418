package org.diffusionrpo.tensor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Runs a main class of the tests in a virtual machine of its own, for what one machine can do only once. */
public final class ChildJvm {
  private ChildJvm() {}

  /** What the class prints; anything but exit status 0 is an {@link AssertionError} with all of its output. */
  public static String run(Class<?> main, String... options) throws IOException, InterruptedException {
    List<String> flags = new ArrayList<>(List.of("--add-modules=jdk.incubator.vector"));
    flags.addAll(List.of(options));
    return runPlain(main, flags.toArray(String[]::new));
  }

  /** As {@link #run} with no flags but these: the machine that a user starts who knows nothing of vectors. */
  public static String runPlain(Class<?> main, String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new AssertionError(main.getSimpleName() + " ended with status " + status + ": " + output);
    }
    return output;
  }
}
