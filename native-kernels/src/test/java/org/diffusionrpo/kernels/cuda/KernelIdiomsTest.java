package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Idioms of CUDA that compile and pass every other test, yet break equal reruns or another compiler. */
class KernelIdiomsTest {
  private static final Map<String, Pattern> RULES = Map.of(
      "the order of atomic additions changes from run to run", Pattern.compile("\\batomic[A-Z]\\w*\\s*\\("),
      "NVRTC has no files to include", Pattern.compile("(?m)^\\s*#\\s*include\\b"),
      "kernels neither print nor stop: NaN says what is wrong", Pattern.compile("\\b(printf|assert|__trap)\\s*\\("));

  @Test
  void noSourceUsesABannedIdiom() {
    List<String> faults = new ArrayList<>();
    for (String file : KernelSource.FILES) {
      String text = KernelSource.of(file).text();
      RULES.forEach((reason, idiom) -> {
        if (idiom.matcher(text).find()) {
          faults.add(file + ": " + reason);
        }
      });
    }
    assertEquals(List.of(), faults);
  }

  @Test
  void theRulesRecogniseWhatTheyBan() {
    for (String sample : List.of("atomicAdd(&sum, v);", "  #include <mma.h>", "printf(\"%f\", x)")) {
      assertTrue(RULES.values().stream().anyMatch(idiom -> idiom.matcher(sample).find()), sample);
    }
  }
}
