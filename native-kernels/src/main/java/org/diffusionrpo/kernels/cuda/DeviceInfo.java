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
    } else if (code != CUresult.CUDA_SUCCESS) {
      throw new CudaException(Status.driverError("cuInit", code).getMessage() + advice(code));
    }
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

  /** What to do when the driver does not start. */
  private static String advice(int code) {
    return switch (code) {
      case CUresult.CUDA_ERROR_SYSTEM_NOT_READY ->
          "; start NVIDIA's fabric manager, which machines with NVSwitch need (nvidia-fabricmanager), or wait for it";
      case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
          "; libcuda.so.1 and the loaded kernel module are of different versions: start the machine again after an "
              + "update of the driver, and let a container have the host's library";
      case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
          "; the libcuda.so.1 for forward compatibility (cuda-compat) is for data-center GPUs only: take its folder "
              + "out of LD_LIBRARY_PATH, or remove it, and use the driver's own";
      case CUresult.CUDA_ERROR_STUB_LIBRARY ->
          "; this libcuda.so.1 is for linking only: take its folder (stubs) out of LD_LIBRARY_PATH";
      case CUresult.CUDA_ERROR_OPERATING_SYSTEM, CUresult.CUDA_ERROR_UNKNOWN ->
          "; see whether nvidia-smi works and /dev/nvidia* may be used (in a container, start it with --gpus all), "
              + "load the module nvidia_uvm, or start the machine again";
      default -> "; see whether nvidia-smi works";
    };
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
