package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.RunReport;
import org.diffusionrpo.tensor.io.Checksums;

/**
 * What two equal runs have in common bit for bit.
 *
 * @param state hash of weights and optimizer in the last checkpoint
 * @param unet hash of the saved UNet
 * @param metrics the log without wall-clock times
 */
public record RunOutcome(String state, String unet, List<MetricsLog.Entry> metrics) {
  public static RunOutcome of(Path out, int steps) throws IOException {
    List<MetricsLog.Entry> metrics = new ArrayList<>();
    for (MetricsLog.Entry entry : MetricsLog.read(out.resolve("metrics.jsonl"))) {
      Map<String, Double> values = new LinkedHashMap<>(entry.values());
      values.remove(RunReport.SECONDS);
      metrics.add(new MetricsLog.Entry(entry.step(), values));
    }
    return new RunOutcome(Checksums.sha256(state(out, steps)), unet(out), metrics);
  }

  public static String unet(Path out) throws IOException {
    return Checksums.sha256(out.resolve("model/unet/diffusion_pytorch_model.safetensors"));
  }

  public static Path state(Path out, int step) {
    return out.resolve(String.format("checkpoints/step-%08d/state.safetensors", step));
  }

  public static void assertSame(RunOutcome expected, RunOutcome actual) {
    assertEquals(expected.metrics, actual.metrics);
    assertEquals(expected.state, actual.state, "weights and optimizer");
    assertEquals(expected.unet, actual.unet, "saved UNet");
  }
}
