// One fault in each kernel, for the tests of the emulator's checks.
#define DYN_SHARED(T, name) T* name = (T*)emu_dynamic_smem()

extern "C" __global__ void pastTheEnd(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) x[i] = 1.0f;
}

extern "C" __global__ void beforeTheStart(float* x) { x[0] = x[(int)threadIdx.x - 1]; }

extern "C" __global__ void readOne(const float* x, float* y) { y[0] = x[0]; }

extern "C" __global__ void unalignedVector(const float* x, float* y) {
  float4 v = *(const float4*)(x + threadIdx.x);
  y[threadIdx.x] = v.x + v.y + v.z + v.w;
}

extern "C" __global__ void unalignedAtomic(char* x) { atomicAdd((int*)(x + 2), 1); }

extern "C" __global__ void sharedArray(float* y, int i) {
  __shared__ float s[32];
  s[threadIdx.x] = 1.0f;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x + i];
}

extern "C" __global__ void dynamicShared(float* y, int n) {
  DYN_SHARED(float, s);
  s[threadIdx.x * n] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x * n];
}

extern "C" __global__ void sharedRace(const float* x, float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = s[63 - threadIdx.x];
}

extern "C" __global__ void sharedWriteAfterRead(const float* x, float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  float v = s[63 - threadIdx.x];
  s[threadIdx.x] = 0.0f;
  y[threadIdx.x] = v;
}

// No race: lanes of one warp, with a barrier of the warp between write and read; and halves of a word.
extern "C" __global__ void noRace(const float* x, float* y, unsigned short* h) {
  __shared__ float s[64];
  __shared__ unsigned short u[64];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  s[threadIdx.x] = x[threadIdx.x];
  u[threadIdx.x] = (unsigned short)threadIdx.x;
  __syncwarp();
  float v = s[warp * 32 + 31 - lane];
  __syncwarp();
  s[threadIdx.x] = v;
  __syncthreads();
  y[threadIdx.x] = s[63 - threadIdx.x];
  h[threadIdx.x] = u[63 - threadIdx.x];
}

extern "C" __global__ void blocksWriteOneWord(float* y) { y[0] = (float)blockIdx.x; }

extern "C" __global__ void blockReadsAnother(float* y) {
  y[blockIdx.x] = 1.0f;
  y[2 + blockIdx.x] = y[1 - blockIdx.x];
}

extern "C" __global__ void threadsShareGlobal(float* y) {
  y[threadIdx.x] = (float)threadIdx.x;
  y[64 + threadIdx.x] = y[63 - threadIdx.x];
}

extern "C" __global__ void divergent(float* x) {
  if (threadIdx.x < 7) return;
  __syncthreads();
  x[threadIdx.x] = 1.0f;
}

extern "C" __global__ void twoBarriers(float* x) {
  if (threadIdx.x < 32) {
    __syncthreads();
    x[threadIdx.x] = 1.0f;
  } else {
    __syncthreads();
    x[threadIdx.x] = 2.0f;
  }
}

extern "C" __global__ void maskLacksCaller(float* x) {
  x[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], 0);
}

extern "C" __global__ void masksDiffer(float* x) {
  unsigned mask = threadIdx.x < 4 ? 0x0fffffffu : 0xffffffffu;
  x[threadIdx.x] = __shfl_xor_sync(mask, x[threadIdx.x], 1);
}

extern "C" __global__ void laneOutsideMask(float* x) {
  if (threadIdx.x < 16) x[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], 20);
}

extern "C" __global__ void exitedLanes(float* x) {
  if (threadIdx.x >= 24) return;
  x[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 1);
}

extern "C" __global__ void localArray(float* y, int i) {
  float v[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  y[0] = v[i];
}

extern "C" __global__ void divideByZero(int* y, int d) { y[0] = 7 / d; }

extern "C" __global__ void trapped(float* y) {
  if (y[0] == 0.0f) __trap();
}

extern "C" __global__ void uninitialised(const float* x, float* y) {
  __shared__ float s[32];
  DYN_SHARED(float, d);
  y[threadIdx.x] = x[threadIdx.x];
  y[32 + threadIdx.x] = s[threadIdx.x];
  y[64 + threadIdx.x] = d[threadIdx.x];
}

extern "C" __global__ void __launch_bounds__(128) bounded(float* y) { y[threadIdx.x] = 1.0f; }

extern "C" __global__ void largeShared(float* y) {
  __shared__ float s[10000];
  s[threadIdx.x] = 1.0f;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}
