#include "devices.h"
#include <cstdio>
#include <cstring>
#include "../core/bench.h"
#include "api.h"

namespace emu {

Limits limits() {
  static const Limits TABLE[] = {
      {70, 96 << 10, 96 << 10, 2048, 32},   {75, 64 << 10, 64 << 10, 1024, 16},
      {80, 163 << 10, 164 << 10, 2048, 32}, {86, 99 << 10, 100 << 10, 1536, 16},
      {87, 163 << 10, 164 << 10, 1536, 16}, {89, 99 << 10, 100 << 10, 1536, 24},
      {90, 227 << 10, 228 << 10, 2048, 32}, {100, 227 << 10, 228 << 10, 2048, 32},
      {120, 99 << 10, 100 << 10, 1536, 24},
  };
  int major = 0, minor = 0;
  std::sscanf(knob("COMPUTE_CAPABILITY").c_str(), "%d.%d", &major, &minor);
  Limits found = TABLE[0];
  for (const Limits& row : TABLE) {
    if (row.capability <= 10 * major + minor) found = row;
  }
  found.capability = 10 * major + minor;
  return found;
}

namespace {

int attribute(int which) {
  Limits l = limits();
  switch (which) {
    case 1: return THREADS_PER_BLOCK;       // MAX_THREADS_PER_BLOCK
    case 2: case 3: return 1024;            // MAX_BLOCK_DIM_X, Y
    case 4: return 64;                      // MAX_BLOCK_DIM_Z
    case 5: return 2147483647;              // MAX_GRID_DIM_X
    case 6: case 7: return 65535;           // MAX_GRID_DIM_Y, Z
    case 8: return SHARED_PER_BLOCK;        // MAX_SHARED_MEMORY_PER_BLOCK
    case 9: return 65536;                   // TOTAL_CONSTANT_MEMORY
    case 10: return 32;                     // WARP_SIZE
    case 11: return 2147483647;             // MAX_PITCH
    case 12: case 82: return 65536;         // MAX_REGISTERS_PER_BLOCK, PER_MULTIPROCESSOR
    case 13: return 1410000;                // CLOCK_RATE in kHz
    case 15: return 1;                      // GPU_OVERLAP
    case 16: return 8;                      // MULTIPROCESSOR_COUNT: small, so that grids need several waves
    case 19: return 1;                      // CAN_MAP_HOST_MEMORY
    case 31: return 1;                      // CONCURRENT_KERNELS
    case 32: return 1;                      // ECC_ENABLED
    case 33: return 1;                      // PCI_BUS_ID
    case 36: return 1215000;                // MEMORY_CLOCK_RATE in kHz
    case 37: return 5120;                   // GLOBAL_MEMORY_BUS_WIDTH in bits
    case 38: return 40 << 20;               // L2_CACHE_SIZE
    case 39: return l.threadsPerProcessor;  // MAX_THREADS_PER_MULTIPROCESSOR
    case 40: return 3;                      // ASYNC_ENGINE_COUNT
    case 41: return 1;                      // UNIFIED_ADDRESSING
    case 75: return l.capability / 10;      // COMPUTE_CAPABILITY_MAJOR
    case 76: return l.capability % 10;      // COMPUTE_CAPABILITY_MINOR
    case 78: return 1;                      // STREAM_PRIORITIES_SUPPORTED
    case 81: return l.sharedPerProcessor;   // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    case 97: return l.sharedPerBlockOptIn;  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    case 106: return l.blocksPerProcessor;  // MAX_BLOCKS_PER_MULTIPROCESSOR
    case 111: return SHARED_RESERVED;       // RESERVED_SHARED_MEMORY_PER_BLOCK
    case 115: return 1;                     // MEMORY_POOLS_SUPPORTED
    default: return 0;                      // among others INTEGRATED, MANAGED_MEMORY, COOPERATIVE_LAUNCH
  }
}

bool isDevice(CUdevice device) { return device >= 0 && device < number("DEVICE_COUNT"); }

}  // namespace
}  // namespace emu

using namespace emu;

CU_API cuDeviceGetCount(int* count) {
  CU_ENTER("cuDeviceGetCount");
  *count = static_cast<int>(number("DEVICE_COUNT"));
  return CUDA_SUCCESS;
}

CU_API cuDeviceGet(CUdevice* device, int ordinal) {
  CU_ENTER("cuDeviceGet");
  if (!isDevice(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
  *device = ordinal;
  return CUDA_SUCCESS;
}

CU_API cuDeviceGetName(char* name, int length, CUdevice device) {
  CU_ENTER("cuDeviceGetName");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::snprintf(name, static_cast<size_t>(length), "%s", knob("DEVICE_NAME").c_str());
  return CUDA_SUCCESS;
}

CU_API cuDeviceGetUuid(void* uuid, CUdevice device) {
  CU_ENTER("cuDeviceGetUuid");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::memset(uuid, 0xE0 + device, 16);
  return CUDA_SUCCESS;
}

CU_API cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  CU_ENTER("cuDeviceGetPCIBusId");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::snprintf(id, static_cast<size_t>(length), "0000:%02X:00.0", device + 1);
  return CUDA_SUCCESS;
}

CU_API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  CU_ENTER("cuDeviceTotalMem_v2");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  *bytes = static_cast<size_t>(number("MEMORY_BYTES"));
  return CUDA_SUCCESS;
}

CU_API cuDeviceGetAttribute(int* value, int which, CUdevice device) {
  CU_ENTER("cuDeviceGetAttribute");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  *value = attribute(which);
  return CUDA_SUCCESS;
}

CU_API cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  CU_ENTER("cuDeviceComputeCapability");
  if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
  *major = limits().capability / 10;
  *minor = limits().capability % 10;
  return CUDA_SUCCESS;
}
