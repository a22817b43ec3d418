package org.diffusionrpo.rpo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.diffusionrpo.rpo.align.AlignResult;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.TinyRuns;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The front page's program for library use is {@link AlignMyModel}, and it works. Tests run in the module's folder. */
class ReadmeProgramTest {
  private static final Path README = Path.of("..", "README.md");
  private static final Path PROGRAM = Path.of("src", "test", "java", "org", "diffusionrpo", "rpo", "AlignMyModel.java");

  @TempDir static Path folder;
  private static TinyRuns runs;

  @BeforeAll
  static void makeModelAndPairs() throws IOException {
    runs = TinyRuns.create(folder);
  }

  @Test
  void readmeShowsTheProgramThatIsCompiledHere() throws IOException {
    String[] blocks = Files.readString(README).split("```java\n");
    assertEquals(2, blocks.length, "one Java program");
    String shown = blocks[1].substring(0, blocks[1].indexOf("```"));
    assertEquals(Files.readString(PROGRAM).replace("package org.diffusionrpo.rpo;\n\n", ""), shown);
  }

  @Test
  void programRunsToTheEnd() throws IOException {
    AlignResult result = AlignMyModel.align(settings("finished"), new AtomicBoolean());
    assertTrue(result.finished());
    assertTrue(Files.isRegularFile(result.model().resolve("model_index.json")));
  }

  @Test
  void settingStopEndsTheRun() throws IOException {
    AlignResult result = AlignMyModel.align(settings("stopped"), new AtomicBoolean(true));
    assertFalse(result.finished());
    assertEquals(0, result.steps());
  }

  private static AlignSettings settings(String name) {
    AlignSettings settings = new AlignSettings();
    settings.model = runs.model();
    settings.data = runs.data();
    settings.out = folder.resolve(name);
    settings.steps = 2;
    settings.batch = 2;
    settings.samples = 0;
    return settings;
  }
}
