// Nearest-neighbour resizing of NHWC data: output pixel i shows input pixel floor(i * in / out). blockIdx.y is a line
// of pixels, strided by gridDim.y; along x the threads take its pixels and channels, four channels at once if possible.

__device__ __forceinline__ int source_pixel(int i, int in, int out) {
  return (int)quotient((long long)i * in, out);
}

/** The first output index whose source is s or later: the least i with i * in >= s * out. */
__device__ __forceinline__ int first_showing(int s, int in, int out) {
  return (int)quotient((long long)s * out + in - 1, in);
}

template <class T>
__device__ __forceinline__ void nearest_forward(T* y, const T* x, int samples, int height, int width, int units,
    int outHeight, int outWidth) {
  for (long long line = blockIdx.y; line < (long long)samples * outHeight; line += gridDim.y) {
    long long sample = quotient(line, outHeight);
    int row = source_pixel((int)(line - sample * outHeight), height, outHeight);
    const T* from = x + (sample * height + row) * width * units;
    T* to = y + line * outWidth * units;
    for (long long i = thread_index(); i < (long long)outWidth * units; i += thread_count()) {
      long long pixel = quotient(i, units);
      to[i] = from[(long long)source_pixel((int)pixel, width, outWidth) * units + (i - pixel * units)];
    }
  }
}

/** x [samples, height, width, channels], y [samples, outHeight, outWidth, channels]. */
extern "C" __global__ void __launch_bounds__(256) upsample_forward(float* __restrict__ y,
    const float* __restrict__ x, int samples, int height, int width, int channels, int outHeight, int outWidth) {
  if ((channels & 3) == 0 && aligned16(y) && aligned16(x)) {
    nearest_forward((float4*)y, (const float4*)x, samples, height, width, channels / 4, outHeight, outWidth);
  } else {
    nearest_forward(y, x, samples, height, width, channels, outHeight, outWidth);
  }
}

template <class T>
__device__ __forceinline__ void nearest_backward(T* dx, const T* dy, T zero, int samples, int height, int width,
    int units, int outHeight, int outWidth) {
  for (long long line = blockIdx.y; line < (long long)samples * height; line += gridDim.y) {
    long long sample = quotient(line, height);
    int row = (int)(line - sample * height);
    int firstRow = first_showing(row, height, outHeight);
    int endRow = first_showing(row + 1, height, outHeight);
    T* to = dx + line * width * units;
    for (long long i = thread_index(); i < (long long)width * units; i += thread_count()) {
      int pixel = (int)quotient(i, units);
      int firstPixel = first_showing(pixel, width, outWidth);
      int endPixel = first_showing(pixel + 1, width, outWidth);
      T sum = zero;
      for (int r = firstRow; r < endRow; r++) {
        const T* from = dy + (sample * outHeight + r) * outWidth * units + (i - (long long)pixel * units);
        for (int p = firstPixel; p < endPixel; p++) {
          sum = sum + from[(long long)p * units];
        }
      }
      to[i] = sum;
    }
  }
}

/** dx of each input pixel is the sum over the output pixels that show it, in row-major order. */
extern "C" __global__ void __launch_bounds__(256, 4) upsample_backward(float* __restrict__ dx,
    const float* __restrict__ dy, int samples, int height, int width, int channels, int outHeight, int outWidth) {
  if ((channels & 3) == 0 && aligned16(dx) && aligned16(dy)) {
    nearest_backward((float4*)dx, (const float4*)dy, four(0.0f), samples, height, width, channels / 4, outHeight,
        outWidth);
  } else {
    nearest_backward(dx, dy, 0.0f, samples, height, width, channels, outHeight, outWidth);
  }
}
