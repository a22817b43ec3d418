// The windows of a convolution as rows of a matrix, and their sum back into the image.
//   x [N, H, W, C]     windows [N, OH, OW, R, S, C], of which a piece is in memory at a time
//   windows[n, i, j, r, s, c] = x[n, i stride + r - padTop, j stride + s - padLeft, c], or 0 outside the image
// A power of two of threads, `lanes`, share one window or one pixel.

/** T is what one thread moves: a pixel has `units` of them. */
template <class T>
__device__ __forceinline__ void gather(T* windows, const T* x, int height, int width, int units, int kernelHeight,
    int kernelWidth, int stride, int padTop, int padLeft, int outHeight, int outWidth, long long first, int count,
    int lanes) {
  int window = kernelHeight * kernelWidth * units;
  int step = gridDim.y * (blockDim.x / lanes);
  for (int k = blockIdx.x * lanes + (threadIdx.x & (lanes - 1)); k < window; k += gridDim.x * lanes) {
    int tap = k / units;
    int c = k - tap * units;
    int tapRow = tap / kernelWidth;
    int top = tapRow - padTop;
    int left = tap - tapRow * kernelWidth - padLeft;
    for (long long at = blockIdx.y * (blockDim.x / lanes) + threadIdx.x / lanes; at < count; at += step) {
      long long line = quotient(first + at, outWidth);
      long long sample = quotient(line, outHeight);
      int h = (int)(line - sample * outHeight) * stride + top;
      int w = (int)(first + at - line * outWidth) * stride + left;
      T value = T();
      if (h >= 0 && h < height && w >= 0 && w < width) {
        value = x[((sample * height + h) * width + w) * units + c];
      }
      windows[at * window + k] = value;
    }
  }
}

/** The windows of `count` output positions from `first` on. */
extern "C" __global__ void __launch_bounds__(256) im2col(float* __restrict__ windows,
    const float* __restrict__ x, int height, int width, int channels, int kernelHeight, int kernelWidth, int stride,
    int padTop, int padLeft, int outHeight, int outWidth, long long first, int count, int lanes) {
  if ((channels & 3) == 0 && aligned16(windows) && aligned16(x)) {
    gather((float4*)windows, (const float4*)x, height, width, channels / 4, kernelHeight, kernelWidth, stride, padTop,
        padLeft, outHeight, outWidth, first, count, lanes);
  } else {
    gather(windows, x, height, width, channels, kernelHeight, kernelWidth, stride, padTop, padLeft, outHeight,
        outWidth, first, count, lanes);
  }
}

/**
 * The windows are those of output rows firstRow to firstRow + rows of each sample. Pixel rows fromRow to endRow of dx
 * get the sum of the taps that show them, in the order of the taps; rows above addBelow, which an earlier piece has
 * written, are added to.
 */
template <class T>
__device__ __forceinline__ void sum_windows(T* dx, const T* windows, T zero, int samples, int height, int width,
    int units, int kernelHeight, int kernelWidth, int stride, int padTop, int padLeft, int outWidth, int firstRow,
    int rows, int fromRow, int endRow, int addBelow, int lanes) {
  int pixelRows = endRow - fromRow;
  long long pixels = (long long)samples * pixelRows * width;
  int step = gridDim.y * (blockDim.x / lanes);
  long long window = (long long)kernelHeight * kernelWidth * units;
  for (int c = blockIdx.x * lanes + (threadIdx.x & (lanes - 1)); c < units; c += gridDim.x * lanes) {
    for (long long at = blockIdx.y * (blockDim.x / lanes) + threadIdx.x / lanes; at < pixels; at += step) {
      long long line = quotient(at, width);
      long long sample = quotient(line, pixelRows);
      int h = fromRow + (int)(line - sample * pixelRows);
      int w = (int)(at - line * width);
      T* to = dx + ((sample * height + h) * width + w) * units + c;
      T sum = h < addBelow ? *to : zero;
      int tapRow = (h + padTop) % stride;
      int i = (h + padTop - tapRow) / stride - firstRow;
      for (; tapRow < kernelHeight; tapRow += stride, i--) {
        if (i < 0 || i >= rows) {
          continue;
        }
        const T* taps = windows + (sample * rows + i) * outWidth * window + c;
        int tapColumn = (w + padLeft) % stride;
        int j = (w + padLeft - tapColumn) / stride;
        for (; tapColumn < kernelWidth; tapColumn += stride, j--) {
          if (j >= 0 && j < outWidth) {
            sum = sum + taps[j * window + (long long)(tapRow * kernelWidth + tapColumn) * units];
          }
        }
      }
      *to = sum;
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) col2im(float* __restrict__ dx, const float* __restrict__ windows,
    int samples, int height, int width, int channels, int kernelHeight, int kernelWidth, int stride, int padTop,
    int padLeft, int outWidth, int firstRow, int rows, int fromRow, int endRow, int addBelow, int lanes) {
  if ((channels & 3) == 0 && aligned16(dx) && aligned16(windows)) {
    sum_windows((float4*)dx, (const float4*)windows, four(0.0f), samples, height, width, channels / 4, kernelHeight,
        kernelWidth, stride, padTop, padLeft, outWidth, firstRow, rows, fromRow, endRow, addBelow, lanes);
  } else {
    sum_windows(dx, windows, 0.0f, samples, height, width, channels, kernelHeight, kernelWidth, stride, padTop,
        padLeft, outWidth, firstRow, rows, fromRow, endRow, addBelow, lanes);
  }
}
