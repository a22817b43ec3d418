package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.CudaDevice;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.CudaLibraries;
import org.diffusionrpo.kernels.cuda.CudaOptions;
import org.diffusionrpo.kernels.cuda.DeviceBuffer;
import org.diffusionrpo.kernels.cuda.DeviceInfo;
import org.diffusionrpo.kernels.cuda.DeviceOutOfMemoryError;
import org.diffusionrpo.kernels.cuda.Elementwise;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.rpo.cli.Machine.Finding;
import org.diffusionrpo.rpo.cli.Machine.State;

/** Whether drpo can use a GPU here, library by library and device by device; without one nothing is a problem. */
final class Gpu {
  private static final int LAUNCHED = 1000;

  private Gpu() {}

  /** @param devices where the driver makes its device files, {@code /dev} */
  static List<Finding> examine(Path devices) {
    if (!CudaLibraries.hasDriver()) {
      long cards = cards(devices);
      return List.of(cards == 0
          ? new Finding(State.FINE, "gpu", "no NVIDIA GPU found; not needed, drpo runs on the CPU", "")
          : new Finding(State.SLOW, "gpu", cards + " NVIDIA device file" + (cards > 1 ? "s" : "")
              + ", but no libcuda.so.1: drpo runs on the CPU", CudaLibraries.Library.DRIVER.advice()));
    }
    List<Finding> findings = new ArrayList<>();
    boolean complete = true;
    for (CudaLibraries.Library library : CudaLibraries.Library.values()) {
      Path path = library.find();
      if (path != null) {
        findings.add(new Finding(State.FINE, "gpu", path.toString(), ""));
      } else {
        complete &= !library.isRequired();
        findings.add(new Finding(State.SLOW, "gpu", library.file() + " was not found: " + (library.isRequired()
            ? "drpo runs on the CPU" : "kernels are taken as compiled ahead of time"), library.advice()));
      }
    }
    if (complete) {
      findings.addAll(devices());
    }
    return findings;
  }

  private static List<Finding> devices() {
    List<DeviceInfo> devices;
    try {
      devices = DeviceInfo.all();
    } catch (CudaException e) {
      return List.of(new Finding(State.SLOW, "gpu", "drpo runs on the CPU: " + e.getMessage(), ""));
    }
    if (devices.isEmpty()) {
      return List.of(new Finding(State.SLOW, "gpu", "the driver finds no GPU: drpo runs on the CPU",
          "nvidia-smi shows what the driver sees, and CUDA_VISIBLE_DEVICES hides GPUs from programs; in a container, "
              + "start it with --gpus all"));
    }
    return devices.stream().map(Gpu::device).toList();
  }

  private static Finding device(DeviceInfo device) {
    String text = "cuda:" + device.number() + " " + device + ", driver for CUDA " + device.driver() / 1000 + "."
        + device.driver() % 1000 / 10;
    String unfit = device.unfit(Precision.FP32);
    if (unfit != null) {
      return new Finding(State.SLOW, "gpu", text, unfit);
    }
    try (CudaDevice open = CudaDevice.open(CudaOptions.DEFAULT.withDevice(device.number()))) {
      launch(open);
      return new Finding(State.FINE, "gpu", text + ", " + open.describe(), "");
    } catch (CudaException | DeviceOutOfMemoryError e) {
      return new Finding(State.SLOW, "gpu", text, e.getMessage());
    }
  }

  /** One kernel, from its source to its result: a compiler or a driver that does not fit the other shows here first. */
  private static void launch(CudaDevice device) {
    float[] values = new float[LAUNCHED];
    try (DeviceBuffer x = device.memory().take(LAUNCHED * (long) Float.BYTES)) {
      new Elementwise(device).fill(x, 1, LAUNCHED);
      device.memory().read(values, x);
    }
    for (float value : values) {
      if (value != 1) {
        throw new CudaException("a kernel that was to write 1 everywhere wrote " + value);
      }
    }
  }

  private static long cards(Path devices) {
    try (Stream<Path> files = Files.list(devices)) {
      return files.filter(file -> file.getFileName().toString().matches("nvidia\\d+")).count();
    } catch (IOException e) {
      return 0; // no such folder, as in some containers
    }
  }
}
