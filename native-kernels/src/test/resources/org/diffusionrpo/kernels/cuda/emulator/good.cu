// Kernels without a fault, one for each part of the device language.
// The word __global__ void in a comment( is none.
#define DYN_SHARED(T, name) T* name = (T*)emu_dynamic_smem()

extern "C" __global__ void __launch_bounds__(256) silu(const float* __restrict__ x, float* __restrict__ y,
    long long n) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) {
    y[i] = x[i] / (1.0f + __expf(-x[i]));
  }
}

// Static shared memory in a template, twice, beside that of a kernel: all live in one section.
template <int N>
__device__ float blockSum(float v) {
  __shared__ float part[N];
  part[threadIdx.x] = v;
  __syncthreads();
  for (int k = N / 2; k > 0; k /= 2) {
    if (threadIdx.x < k) part[threadIdx.x] += part[threadIdx.x + k];
    __syncthreads();
  }
  float sum = part[0];
  __syncthreads();
  return sum;
}

extern "C" __global__ void blockSums(const float* x, float* y) {
  __shared__ float own[64];
  own[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  float sum = blockSum<64>(own[63 - threadIdx.x]), half = blockSum<64>(threadIdx.x < 32 ? own[threadIdx.x] : 0.0f);
  if (threadIdx.x == 0) {
    y[2 * blockIdx.x] = sum;
    y[2 * blockIdx.x + 1] = half;
  }
}

extern "C" __global__ void warpSums(const float* x, float* y) {
  float v = x[threadIdx.x];
  for (int d = 16; d > 0; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
  y[threadIdx.x] = v;
}

// Two halves of a warp that exchange values apart from each other, in different numbers of steps.
extern "C" __global__ void halfWarps(const float* x, float* y) {
  float v = x[threadIdx.x];
  if (threadIdx.x < 16) {
    for (int d = 8; d > 0; d >>= 1) v += __shfl_xor_sync(0x0000ffffu, v, d);
  } else {
    v = __shfl_sync(0xffff0000u, v, 31);
  }
  __syncwarp();
  y[threadIdx.x] = v + __shfl_down_sync(0xffffffffu, v, 1);
}

extern "C" __global__ void reversed(const float* x, float* y, int n) {
  DYN_SHARED(float, s);
  for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = x[i];
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = s[n - 1 - i];
}

extern "C" __global__ void countAll(int* counter, const float4* x, float4* y, int n) {
  int i = atomicAdd(counter, 1);
  if (i < n) y[i] = x[i];
}

extern "C" __global__ void product16(const unsigned* a, const unsigned* b, const float* c, float* d, int bfloat16) {
  unsigned fa[4], fb[2];
  float fc[4], fd[4];
  for (int i = 0; i < 4; i++) fa[i] = a[threadIdx.x * 4 + i];
  for (int i = 0; i < 2; i++) fb[i] = b[threadIdx.x * 2 + i];
  for (int i = 0; i < 4; i++) fc[i] = c[threadIdx.x * 4 + i];
  emu_mma_m16n8k16(fd, fa, fb, fc, bfloat16 != 0);
  for (int i = 0; i < 4; i++) d[threadIdx.x * 4 + i] = fd[i];
}

extern "C" __global__ void product8(const unsigned* a, const unsigned* b, const float* c, float* d) {
  unsigned fa[2] = {a[threadIdx.x * 2], a[threadIdx.x * 2 + 1]};
  float fc[4], fd[4];
  for (int i = 0; i < 4; i++) fc[i] = c[threadIdx.x * 4 + i];
  emu_mma_m16n8k8_f16(fd, fa, b[threadIdx.x], fc);
  for (int i = 0; i < 4; i++) d[threadIdx.x * 4 + i] = fd[i];
}

extern "C" __global__ void halves(const float* x, unsigned short* h, float* back, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    h[i] = emu_float_to_half(x[i]);
    back[i] = emu_half_to_float(h[i]);
  }
}
