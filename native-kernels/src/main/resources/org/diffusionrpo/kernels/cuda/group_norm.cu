// Group normalisation of NHWC data: x, y [samples, positions, channels], mean and rstd [samples, groups]. The passes
// over the data go by tiles of columns, many blocks to a sample; sums are taken per channel and then joined to groups.

/**
 * Mean and sum of squared deviations of each channel over a chunk: parts[n, chunk, 0, c] and parts[n, chunk, 1, c].
 * Sums are of the distance to the chunk's first value. That is one of the values, so the square of its distance to the
 * mean is at most the sum of squared deviations: the difference below loses a factor of rows at worst, however large
 * the mean.
 */
extern "C" __global__ void __launch_bounds__(256) group_norm_moment_parts(float* __restrict__ parts,
    const float* __restrict__ x, int samples, int positions, int channels, int chunkRows) {
  __shared__ float scratch[512];
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(x);
  int count = rows_of_chunk(tile.chunk, positions, chunkRows);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    const float* image = x + (long long)sample * positions * channels;
    const float* first = image + (long long)tile.chunk * chunkRows * channels;
    float4 center = load4(first + tile.column, tile.valid, vector && tile.valid > 0);
    float4 sum = four(0.0f);
    float4 squares = four(0.0f);
#pragma unroll 4
    for (int row = tile.row; row < tile.end; row += 16) {
      float4 d = load4(image + (long long)row * channels + tile.column, tile.valid, vector) - center;
      sum = sum + d;
      squares = multiply_add(d, d, squares);
    }
    float deviation = tile_sum(sum, scratch);
    float square = tile_sum(squares, scratch);
    int column = tile.blockColumn + threadIdx.x;
    if (threadIdx.x < 64 && column < channels) {
      double offset = (double)deviation / count;
      float* to = parts + ((long long)sample * tile.chunks + tile.chunk) * 2 * channels + column;
      to[0] = (float)(first[column] + offset);
      to[channels] = (float)fmax(0.0, square - offset * deviation);
    }
  }
}

/** mean and rstd from the moments of all chunks and channels of a group. One block per (sample, group). */
extern "C" __global__ void __launch_bounds__(128) group_norm_moments(float* __restrict__ mean,
    float* __restrict__ rstd, const float* __restrict__ parts, int positions, int channels, int groups, int chunks,
    int chunkRows, float eps) {
  __shared__ double scratch[32];
  int width = channels / groups;
  int sample = blockIdx.x / groups;
  const float* group = parts + (long long)sample * chunks * 2 * channels + blockIdx.x % groups * width;
  double size = (double)positions * width;
  double sum = 0.0;
  for (int i = threadIdx.x; i < chunks * width; i += blockDim.x) {
    int chunk = i / width;
    sum += (double)group[(long long)chunk * 2 * channels + i % width] * rows_of_chunk(chunk, positions, chunkRows);
  }
  double average = block_sum(sum, scratch) / size;
  double squares = 0.0;
  for (int i = threadIdx.x; i < chunks * width; i += blockDim.x) {
    int chunk = i / width;
    const float* part = group + (long long)chunk * 2 * channels + i % width;
    double distance = part[0] - average;
    squares += part[channels] + distance * distance * rows_of_chunk(chunk, positions, chunkRows);
  }
  squares = block_sum(squares, scratch);
  if (threadIdx.x == 0) {
    mean[blockIdx.x] = (float)average;
    rstd[blockIdx.x] = (float)(1.0 / sqrt(squares / size + eps));
  }
}

/** Statistics and parameters of a thread's four channels; those that do not exist are zero. */
struct ChannelNorm {
  float4 mean;
  float4 scale;  // rstd * gamma
  float4 shift;  // beta
};

__device__ __forceinline__ void set_channel(float& mean, float& scale, const float* groupMean, const float* groupRstd,
    const float* gamma, int column, int width) {
  int group = column / width;
  mean = groupMean[group];
  scale = groupRstd[group] * gamma[column];
}

__device__ __forceinline__ ChannelNorm channel_norm(const float* mean, const float* rstd, const float* gamma,
    const float* beta, int sample, int channels, int groups, const ColumnTile& tile) {
  const float* groupMean = mean + (long long)sample * groups;
  const float* groupRstd = rstd + (long long)sample * groups;
  int width = channels / groups;
  int c = tile.column;
  ChannelNorm norm = {four(0.0f), four(0.0f), four(0.0f)};
  if (tile.valid > 0) set_channel(norm.mean.x, norm.scale.x, groupMean, groupRstd, gamma, c, width);
  if (tile.valid > 1) set_channel(norm.mean.y, norm.scale.y, groupMean, groupRstd, gamma, c + 1, width);
  if (tile.valid > 2) set_channel(norm.mean.z, norm.scale.z, groupMean, groupRstd, gamma, c + 2, width);
  if (tile.valid > 3) set_channel(norm.mean.w, norm.scale.w, groupMean, groupRstd, gamma, c + 3, width);
  if (beta != nullptr) {
    norm.shift = load4(beta + c, tile.valid, false);
  }
  return norm;
}

template <bool SILU>
__device__ __forceinline__ void normalize(float* y, const float* x, const float* mean, const float* rstd,
    const float* gamma, const float* beta, int samples, int positions, int channels, int groups, int chunkRows) {
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(y) && aligned16(x);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    ChannelNorm norm = channel_norm(mean, rstd, gamma, beta, sample, channels, groups, tile);
    for (int row = tile.row; row < tile.end; row += 16) {
      long long at = ((long long)sample * positions + row) * channels + tile.column;
      float4 h = multiply_add(load4(x + at, tile.valid, vector) - norm.mean, norm.scale, norm.shift);
      if (SILU) {
        h = make_float4(silu(h.x), silu(h.y), silu(h.z), silu(h.w));
      }
      store4(y + at, h, tile.valid, vector);
    }
  }
}

/** y = (x - mean) rstd gamma + beta. y may be x. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) group_norm_apply(float* y, const float* x,
    const float* __restrict__ mean, const float* __restrict__ rstd, const float* __restrict__ gamma,
    const float* __restrict__ beta, int samples, int positions, int channels, int groups, int chunkRows) {
  normalize<false>(y, x, mean, rstd, gamma, beta, samples, positions, channels, groups, chunkRows);
}

/** y = silu((x - mean) rstd gamma + beta). y may be x. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) group_norm_apply_silu(float* y, const float* x,
    const float* __restrict__ mean, const float* __restrict__ rstd, const float* __restrict__ gamma,
    const float* __restrict__ beta, int samples, int positions, int channels, int groups, int chunkRows) {
  normalize<true>(y, x, mean, rstd, gamma, beta, samples, positions, channels, groups, chunkRows);
}

/** dy silu'(h), where h was the input of the activation and d is x - mean. */
__device__ __forceinline__ float4 through_silu(float4 dy, float4 d, const ChannelNorm& norm) {
  float4 h = multiply_add(d, norm.scale, norm.shift);
  return dy * make_float4(silu_slope(h.x), silu_slope(h.y), silu_slope(h.z), silu_slope(h.w));
}

template <bool SILU>
__device__ __forceinline__ void gradient_parts(float* scratch, float* parts, const float* dy, const float* x,
    const float* mean, const float* rstd, const float* gamma, const float* beta, int samples, int positions,
    int channels, int groups, int chunkRows) {
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(dy) && aligned16(x);
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    ChannelNorm norm = channel_norm(mean, rstd, gamma, beta, sample, channels, groups, tile);
    float4 sum = four(0.0f);
    float4 products = four(0.0f);
#pragma unroll 2
    for (int row = tile.row; row < tile.end; row += 16) {
      long long at = ((long long)sample * positions + row) * channels + tile.column;
      float4 d = load4(x + at, tile.valid, vector) - norm.mean;
      float4 dh = load4(dy + at, tile.valid, vector);
      if (SILU) {
        dh = through_silu(dh, d, norm);
      }
      sum = sum + dh;
      products = multiply_add(dh, d, products);
    }
    float total = tile_sum(sum, scratch);
    float product = tile_sum(products, scratch);
    int column = tile.blockColumn + threadIdx.x;
    if (threadIdx.x < 64 && column < channels) {
      float* to = parts + ((long long)sample * tile.chunks + tile.chunk) * 2 * channels + column;
      to[0] = total;
      to[channels] = product;
    }
  }
}

/** Sums over a chunk, per channel: parts[n, chunk, 0, c] of dy and parts[n, chunk, 1, c] of dy (x - mean). */
extern "C" __global__ void __launch_bounds__(256) group_norm_gradient_parts(float* __restrict__ parts,
    const float* __restrict__ dy, const float* __restrict__ x, const float* __restrict__ mean,
    const float* __restrict__ rstd, const float* __restrict__ gamma, int samples, int positions, int channels,
    int groups, int chunkRows) {
  __shared__ float scratch[512];
  gradient_parts<false>(scratch, parts, dy, x, mean, rstd, gamma, nullptr, samples, positions, channels, groups,
      chunkRows);
}

/** The same with dy silu'(h) for dy. */
extern "C" __global__ void __launch_bounds__(256) group_norm_gradient_parts_silu(float* __restrict__ parts,
    const float* __restrict__ dy, const float* __restrict__ x, const float* __restrict__ mean,
    const float* __restrict__ rstd, const float* __restrict__ gamma, const float* __restrict__ beta, int samples,
    int positions, int channels, int groups, int chunkRows) {
  __shared__ float scratch[512];
  gradient_parts<true>(scratch, parts, dy, x, mean, rstd, gamma, beta, samples, positions, channels, groups,
      chunkRows);
}

/**
 * What dx takes from all values of its group: lines[n, g] = (shift, slope) of dx = dy rstd gamma + (x - mean) slope +
 * shift. One block per (sample, group).
 */
extern "C" __global__ void __launch_bounds__(128) group_norm_gradient_lines(float* __restrict__ lines,
    const float* __restrict__ parts, const float* __restrict__ rstd, const float* __restrict__ gamma, int positions,
    int channels, int groups, int chunks) {
  __shared__ double scratch[32];
  int width = channels / groups;
  int sample = blockIdx.x / groups;
  int firstChannel = blockIdx.x % groups * width;
  const float* group = parts + (long long)sample * chunks * 2 * channels + firstChannel;
  double sum = 0.0;
  double product = 0.0;
  for (int i = threadIdx.x; i < chunks * width; i += blockDim.x) {
    int c = i % width;
    const float* part = group + (long long)(i / width) * 2 * channels + c;
    double weight = gamma[firstChannel + c];
    sum += part[0] * weight;
    product += part[channels] * weight;
  }
  sum = block_sum(sum, scratch);
  product = block_sum(product, scratch);
  if (threadIdx.x == 0) {
    double r = rstd[blockIdx.x];
    double size = (double)positions * width;
    lines[2 * blockIdx.x] = (float)(-r * sum / size);
    lines[2 * blockIdx.x + 1] = (float)(-r * r * r * product / size);
  }
}

/** dGamma[c] += sum dy (x - mean) rstd, dBeta[c] += sum dy; each may be null. Blocks of 32 channels. */
extern "C" __global__ void __launch_bounds__(256, 4) group_norm_parameters(float* __restrict__ dGamma,
    float* __restrict__ dBeta, const float* __restrict__ parts, const float* __restrict__ rstd, int samples,
    int channels, int groups, int chunks) {
  __shared__ double scratch[256];
  int c = blockIdx.x * 32 + (threadIdx.x & 31);
  bool exists = c < channels;
  double sum = 0.0;
  double product = 0.0;
  for (int sample = 0; sample < samples; sample++) {
    const float* part = parts + (long long)sample * chunks * 2 * channels + c;
    if (dBeta != nullptr) {
      sum += parts_sum(part, 2LL * channels, chunks, exists, scratch);
    }
    if (dGamma != nullptr) {
      double r = exists ? rstd[(long long)sample * groups + c / (channels / groups)] : 0.0f;
      product += r * parts_sum(part + channels, 2LL * channels, chunks, exists, scratch);
    }
  }
  if (threadIdx.x < 32 && exists) {
    if (dBeta != nullptr) {
      dBeta[c] += (float)sum;
    }
    if (dGamma != nullptr) {
      dGamma[c] += (float)product;
    }
  }
}

template <bool SILU>
__device__ __forceinline__ void gradient(float* dx, const float* dy, const float* x, const float* lines,
    const float* mean, const float* rstd, const float* gamma, const float* beta, int samples, int positions,
    int channels, int groups, int chunkRows) {
  ColumnTile tile = column_tile(positions, channels, chunkRows);
  bool vector = (channels & 3) == 0 && aligned16(dx) && aligned16(dy) && aligned16(x);
  int width = channels / groups;
  for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
    ChannelNorm norm = channel_norm(mean, rstd, gamma, beta, sample, channels, groups, tile);
    const float2* line = (const float2*)lines + (long long)sample * groups;
    float2 none = make_float2(0.0f, 0.0f);
    float2 lineX = tile.valid > 0 ? line[tile.column / width] : none;
    float2 lineY = tile.valid > 1 ? line[(tile.column + 1) / width] : none;
    float2 lineZ = tile.valid > 2 ? line[(tile.column + 2) / width] : none;
    float2 lineW = tile.valid > 3 ? line[(tile.column + 3) / width] : none;
    float4 shift = make_float4(lineX.x, lineY.x, lineZ.x, lineW.x);
    float4 slope = make_float4(lineX.y, lineY.y, lineZ.y, lineW.y);
    for (int row = tile.row; row < tile.end; row += 16) {
      long long at = ((long long)sample * positions + row) * channels + tile.column;
      float4 d = load4(x + at, tile.valid, vector) - norm.mean;
      float4 dh = load4(dy + at, tile.valid, vector);
      if (SILU) {
        dh = through_silu(dh, d, norm);
      }
      store4(dx + at, multiply_add(dh, norm.scale, multiply_add(d, slope, shift)), tile.valid, vector);
    }
  }
}

/** dx = dy rstd gamma + (x - mean) slope + shift. dx may be dy. Tiles of columns. */
extern "C" __global__ void __launch_bounds__(256) group_norm_gradient(float* dx, const float* dy, const float* x,
    const float* __restrict__ lines, const float* __restrict__ mean, const float* __restrict__ rstd,
    const float* __restrict__ gamma, int samples, int positions, int channels, int groups, int chunkRows) {
  gradient<false>(dx, dy, x, lines, mean, rstd, gamma, nullptr, samples, positions, channels, groups, chunkRows);
}

/** The same with dy silu'(h) for dy. */
extern "C" __global__ void __launch_bounds__(256) group_norm_gradient_silu(float* dx, const float* dy, const float* x,
    const float* __restrict__ lines, const float* __restrict__ mean, const float* __restrict__ rstd,
    const float* __restrict__ gamma, const float* __restrict__ beta, int samples, int positions, int channels,
    int groups, int chunkRows) {
  gradient<true>(dx, dy, x, lines, mean, rstd, gamma, beta, samples, positions, channels, groups, chunkRows);
}
