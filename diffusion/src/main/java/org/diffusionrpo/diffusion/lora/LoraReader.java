package org.diffusionrpo.diffusion.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.io.CheckpointMapping;
import org.diffusionrpo.diffusion.lora.LoraFile.Entry;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;

/** Reads a LoRA file for a model. Modules that the model does not have, or of other sizes, are one error. */
public final class LoraReader {
  private static final int SHOWN = 5;

  private LoraReader() {}

  /** All layers of the file, every one of them checked against the model's. */
  public static List<LoraLayer> read(Path path, LoraModules modules) throws IOException {
    try (LoraFile file = LoraFile.open(path)) {
      Map<Entry, LoraModules.Module> found = new HashMap<>();
      Map<LoraModules.Module, Entry> taken = new HashMap<>();
      List<String> problems = new ArrayList<>();
      for (Entry entry : file.entries()) {
        LoraModules.Module module = modules.find(entry.name());
        if (module == null) {
          problems.add(unknown(entry.name(), modules, problems.size()));
        } else if (taken.put(module, entry) != null) {
          problems.add(entry.name() + " is there twice");
        } else {
          sizes(entry, module.slot().weight(), problems);
        }
        found.put(entry, module);
      }
      if (!problems.isEmpty()) {
        throw new IOException(file.path() + ": the LoRA does not fit the model: " + summary(problems));
      }
      List<LoraLayer> layers = new ArrayList<>();
      for (Entry entry : file.entries()) {
        LoraModules.Module module = found.get(entry);
        layers.add(new LoraLayer(module.component(), module.path(), matrix(file, entry.down()), matrix(file, entry.up()),
            file.alpha(entry, module.component(), module.path())));
      }
      return layers;
    }
  }

  /** The first few of a list of faults, and how many more there are. */
  static String summary(List<String> problems) {
    String shown = String.join("; ", problems.subList(0, Math.min(SHOWN, problems.size())));
    return problems.size() > SHOWN ? shown + "; and " + (problems.size() - SHOWN) + " more" : shown;
  }

  private static LoraLayer.Matrix matrix(LoraFile file, TensorInfo info) throws IOException {
    return new LoraLayer.Matrix(info.dtype(), info.dims(), file.read(info));
  }

  private static String unknown(String name, LoraModules modules, int before) {
    if (modules.lacksPartOf(name)) {
      return name + " is for a second text encoder, which the model does not have (is the LoRA for SDXL?)";
    }
    String nearest = before < SHOWN ? modules.nearest(name) : null;
    return "unknown module " + name + (nearest == null ? "" : " (meant to be " + nearest + "?)");
  }

  private static void sizes(Entry entry, Parameter weight, List<String> problems) {
    int[] needed = CheckpointMapping.info(weight, entry.down().dtype()).dims();
    int rank = entry.rank();
    int[] down = needed.clone();
    down[0] = rank;
    int[] up = needed.length == 2 ? new int[] {needed[0], rank} : new int[] {needed[0], rank, 1, 1};
    for (TensorInfo info : List.of(entry.down(), entry.up())) {
      int[] expected = info == entry.down() ? down : up;
      if (!Arrays.equals(squeeze(info.dims()), squeeze(expected))) {
        problems.add(info + " instead of " + Arrays.toString(expected));
      }
    }
  }

  /** [O, I] and [O, I, 1, 1] are the same matrix. */
  private static int[] squeeze(int[] dims) {
    return dims.length == 4 && dims[2] == 1 && dims[3] == 1 ? Arrays.copyOf(dims, 2) : dims;
  }
}
