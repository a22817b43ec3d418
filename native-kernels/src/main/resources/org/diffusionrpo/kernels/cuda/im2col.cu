// The windows of a convolution as rows of a matrix, for a tile of output rows, and their sum back into the image.
//   x [N, H, W, C]     matrix [samples of the tile, rows of the tile, OW, R, S, C]
//   matrix[n, i, j, r, s, c] = x[n, i stride + r - padTop, j stride + s - padLeft, c], or 0 outside the image
// The tile starts at sample firstSample and output row firstRow. A power of two of threads, `lanes`, share one row.

/** T is what one thread moves: it has `units` of them per pixel. */
template <class T>
__device__ __forceinline__ void windows(T* matrix, const T* x, int height, int width, int units, int kernelHeight,
    int kernelWidth, int stride, int padTop, int padLeft, int outWidth, int firstSample, int samples, int firstRow,
    int rows, int lanes) {
  int filter = kernelHeight * kernelWidth * units;
  long long positions = (long long)samples * rows * outWidth;
  long long positionStep = (long long)gridDim.y * (blockDim.x / lanes);
  for (int k = blockIdx.x * lanes + (threadIdx.x & (lanes - 1)); k < filter; k += gridDim.x * lanes) {
    int tap = k / units;
    int c = k - tap * units;
    int tapRow = tap / kernelWidth;
    int top = tapRow - padTop;
    int left = tap - tapRow * kernelWidth - padLeft;
    long long position = (long long)blockIdx.y * (blockDim.x / lanes) + threadIdx.x / lanes;
    for (; position < positions; position += positionStep) {
      long long line = quotient(position, outWidth);
      int sample = (int)quotient(line, rows);
      int h = (firstRow + (int)(line - (long long)sample * rows)) * stride + top;
      int w = (int)(position - line * outWidth) * stride + left;
      T value = T();
      if (h >= 0 && h < height && w >= 0 && w < width) {
        value = x[(((long long)(firstSample + sample) * height + h) * width + w) * units + c];
      }
      matrix[position * filter + k] = value;
    }
  }
}

/** Moves 16 bytes at a time: units = C / 4 for floats, C / 8 for 16-bit elements. */
extern "C" __global__ void __launch_bounds__(256) im2col_vector(uint4* __restrict__ matrix,
    const uint4* __restrict__ x, int height, int width, int units, int kernelHeight, int kernelWidth, int stride,
    int padTop, int padLeft, int outWidth, int firstSample, int samples, int firstRow, int rows, int lanes) {
  windows(matrix, x, height, width, units, kernelHeight, kernelWidth, stride, padTop, padLeft, outWidth, firstSample,
      samples, firstRow, rows, lanes);
}

extern "C" __global__ void __launch_bounds__(256) im2col_float(float* __restrict__ matrix, const float* __restrict__ x,
    int height, int width, int units, int kernelHeight, int kernelWidth, int stride, int padTop, int padLeft,
    int outWidth, int firstSample, int samples, int firstRow, int rows, int lanes) {
  windows(matrix, x, height, width, units, kernelHeight, kernelWidth, stride, padTop, padLeft, outWidth, firstSample,
      samples, firstRow, rows, lanes);
}

extern "C" __global__ void __launch_bounds__(256) im2col_half(unsigned short* __restrict__ matrix,
    const unsigned short* __restrict__ x, int height, int width, int units, int kernelHeight, int kernelWidth,
    int stride, int padTop, int padLeft, int outWidth, int firstSample, int samples, int firstRow, int rows,
    int lanes) {
  windows(matrix, x, height, width, units, kernelHeight, kernelWidth, stride, padTop, padLeft, outWidth, firstSample,
      samples, firstRow, rows, lanes);
}

/**
 * Pixel rows fromRow to endRow of each sample of the tile: dx gets the sum of its taps among the tile's output rows, tap
 * by tap in their order; rows below addBelow, which an earlier tile has written, are added to.
 */
template <class T>
__device__ __forceinline__ void gather(T* dx, const T* matrix, T zero, int height, int width, int units,
    int kernelHeight, int kernelWidth, int stride, int padTop, int padLeft, int outWidth, int firstSample, int samples,
    int firstRow, int rows, int fromRow, int endRow, int addBelow, int lanes) {
  int pixelRows = endRow - fromRow;
  long long pixels = (long long)samples * pixelRows * width;
  long long pixelStep = (long long)gridDim.y * (blockDim.x / lanes);
  long long filter = (long long)kernelHeight * kernelWidth * units;
  for (int c = blockIdx.x * lanes + (threadIdx.x & (lanes - 1)); c < units; c += gridDim.x * lanes) {
    long long pixel = (long long)blockIdx.y * (blockDim.x / lanes) + threadIdx.x / lanes;
    for (; pixel < pixels; pixel += pixelStep) {
      long long line = quotient(pixel, width);
      int sample = (int)quotient(line, pixelRows);
      int h = fromRow + (int)(line - (long long)sample * pixelRows);
      int w = (int)(pixel - line * width);
      T* to = dx + (((long long)(firstSample + sample) * height + h) * width + w) * units + c;
      T sum = h < addBelow ? *to : zero;
      int tapRow = (h + padTop) % stride;
      int i = (h + padTop - tapRow) / stride - firstRow;
      for (; tapRow < kernelHeight; tapRow += stride, i--) {
        if (i < 0 || i >= rows) {
          continue;
        }
        int tapColumn = (w + padLeft) % stride;
        int j = (w + padLeft - tapColumn) / stride;
        const T* taps = matrix + ((long long)sample * rows + i) * outWidth * filter + c;
        for (; tapColumn < kernelWidth; tapColumn += stride, j--) {
          if (j >= 0 && j < outWidth) {
            sum = sum + taps[j * filter + (long long)(tapRow * kernelWidth + tapColumn) * units];
          }
        }
      }
      *to = sum;
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) col2im(float* __restrict__ dx, const float* __restrict__ matrix,
    int height, int width, int channels, int kernelHeight, int kernelWidth, int stride, int padTop, int padLeft,
    int outWidth, int firstSample, int samples, int firstRow, int rows, int fromRow, int endRow, int addBelow,
    int lanes) {
  gather(dx, matrix, 0.0f, height, width, channels, kernelHeight, kernelWidth, stride, padTop, padLeft, outWidth,
      firstSample, samples, firstRow, rows, fromRow, endRow, addBelow, lanes);
}

/** Four channels at a time: units = C / 4. */
extern "C" __global__ void __launch_bounds__(256) col2im_vector(float4* __restrict__ dx,
    const float4* __restrict__ matrix, int height, int width, int units, int kernelHeight, int kernelWidth, int stride,
    int padTop, int padLeft, int outWidth, int firstSample, int samples, int firstRow, int rows, int fromRow,
    int endRow, int addBelow, int lanes) {
  gather(dx, matrix, four(0.0f), height, width, units, kernelHeight, kernelWidth, stride, padTop, padLeft, outWidth,
      firstSample, samples, firstRow, rows, fromRow, endRow, addBelow, lanes);
}
