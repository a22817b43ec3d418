package org.diffusionrpo.tensor.cuda;

import org.diffusionrpo.kernels.cuda.DeviceBuffer;
import org.diffusionrpo.kernels.cuda.Format;
import org.diffusionrpo.kernels.cuda.Operand;
import org.diffusionrpo.tensor.Buffer;
import org.diffusionrpo.tensor.Storage;

/** Device memory: floats, or half floats of frozen weights. */
final class CudaBuffer extends Buffer {
  private final DeviceBuffer device;

  CudaBuffer(CudaBackend backend, int length, Storage storage, DeviceBuffer device) {
    super(backend, length, storage);
    this.device = device;
  }

  DeviceBuffer device() {
    return device;
  }

  DeviceBuffer floats() {
    if (storage() != Storage.F32) {
      throw new IllegalArgumentException(storage() + " storage is for frozen weights of linear layers and "
          + "convolutions; this operation needs F32");
    }
    return device;
  }

  /** As an operand that products widen while they read it. */
  Operand operand() {
    return new Operand(device, switch (storage()) {
      case F32 -> Format.F32;
      case BF16 -> Format.BF16;
      case F16 -> Format.F16;
    });
  }

  @Override
  protected void recycle() {
    device.close();
  }
}
