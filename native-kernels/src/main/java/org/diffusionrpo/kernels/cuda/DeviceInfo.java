package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDeviceGetCount;
import static jcuda.driver.JCudaDriver.cuDeviceGetName;
import static jcuda.driver.JCudaDriver.cuDeviceTotalMem;
import static jcuda.driver.JCudaDriver.cuDriverGetVersion;
import static jcuda.driver.JCudaDriver.cuInit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;

/**
 * What the driver says of a device.
 *
 * @param architecture compute capability times ten, e.g. 86
 * @param memory bytes
 * @param driver CUDA version of the driver times 1000, e.g. 12040
 */
public record DeviceInfo(int number, String name, int architecture, int multiprocessors, long memory, int driver) {
  static final int OLDEST_ARCHITECTURE = 75;
  private static final int OLDEST_DRIVER = 12_000;
  private static final int OLDEST_TENSOR_FLOATS = 80;

  /** All devices of this machine. @throws CudaException when the libraries or the driver are missing or too old */
  public static List<DeviceInfo> all() {
    CudaLibraries.load();
    int code = cuInit(0);
    if (code == CUresult.CUDA_ERROR_NO_DEVICE) {
      return List.of();
    }
    Status.driver("cuInit", code);
    int[] version = new int[1];
    Status.driver("cuDriverGetVersion", cuDriverGetVersion(version));
    int[] count = new int[1];
    Status.driver("cuDeviceGetCount", cuDeviceGetCount(count));
    List<DeviceInfo> devices = new ArrayList<>();
    for (int number = 0; number < count[0]; number++) {
      devices.add(of(number, version[0]));
    }
    return devices;
  }

  private static DeviceInfo of(int number, int driver) {
    CUdevice device = device(number);
    byte[] name = new byte[256];
    Status.driver("cuDeviceGetName", cuDeviceGetName(name, name.length, device));
    int end = 0;
    while (end < name.length && name[end] != 0) {
      end++;
    }
    long[] memory = new long[1];
    Status.driver("cuDeviceTotalMem", cuDeviceTotalMem(memory, device));
    int major = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    int minor = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    return new DeviceInfo(number, new String(name, 0, end, StandardCharsets.UTF_8), 10 * major + minor,
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), memory[0], driver);
  }

  static CUdevice device(int number) {
    CUdevice device = new CUdevice();
    Status.driver("cuDeviceGet", cuDeviceGet(device, number));
    return device;
  }

  private static int attribute(CUdevice device, int attribute) {
    int[] value = new int[1];
    Status.driver("cuDeviceGetAttribute", cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  /** Why this device cannot be used in this precision, or null. */
  public String unfit(Precision precision) {
    if (driver < OLDEST_DRIVER) {
      return "the driver is made for CUDA " + driver / 1000 + "." + driver % 1000 / 10
          + "; install R525 (CUDA 12) or newer";
    } else if (architecture < OLDEST_ARCHITECTURE) {
      return name + " has compute capability " + capability() + "; 7.5 or newer is needed";
    } else if (architecture < OLDEST_TENSOR_FLOATS && (precision == Precision.TF32 || precision == Precision.BF16)) {
      return name + " has compute capability " + capability() + " and computes in fp32 and fp16; "
          + precision.name().toLowerCase(Locale.ROOT) + " needs 8.0 or newer";
    }
    return null;
  }

  /** E.g. 8.6. */
  public String capability() {
    return architecture / 10 + "." + architecture % 10;
  }

  @Override
  public String toString() {
    return name + " (compute capability " + capability() + ", " + (memory >> 20) + " MiB)";
  }
}
