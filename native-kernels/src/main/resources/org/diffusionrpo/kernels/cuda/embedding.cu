// Rows of a table by their number.

/** y[i] = table[ids[i]], rows of `columns` elements. */
extern "C" __global__ void __launch_bounds__(256) embedding_forward(float* __restrict__ y,
    const float* __restrict__ table, const int* __restrict__ ids, int count, int columns) {
  if ((columns & 3) == 0 && aligned16(y) && aligned16(table)) {
    int quads = columns / 4;
    for (long long i = thread_index(); i < (long long)count * quads; i += thread_count()) {
      long long row = quotient(i, quads);
      ((float4*)y)[i] = ((const float4*)table)[(long long)ids[row] * quads + (i - row * quads)];
    }
    return;
  }
  for (long long i = thread_index(); i < (long long)count * columns; i += thread_count()) {
    long long row = quotient(i, columns);
    y[i] = table[(long long)ids[row] * columns + (i - row * columns)];
  }
}

/**
 * dTable[id] += dy[i] for all i with this id, in the order of i. The caller has sorted them: uses[starts[k]] up to
 * uses[starts[k + 1]] are the rows of dy with the id ids[k], no id occurs twice, so no two threads write one element.
 */
extern "C" __global__ void __launch_bounds__(256, 4) embedding_backward(float* __restrict__ dTable,
    const float* __restrict__ dy, const int* __restrict__ ids, const int* __restrict__ starts,
    const int* __restrict__ uses, int distinct, int columns) {
  if ((columns & 3) == 0 && aligned16(dTable) && aligned16(dy)) {
    int quads = columns / 4;
    for (long long i = thread_index(); i < (long long)distinct * quads; i += thread_count()) {
      long long k = quotient(i, quads);
      long long c = i - k * quads;
      float4* to = (float4*)dTable + (long long)ids[k] * quads + c;
      float4 sum = *to;
      for (int use = starts[k]; use < starts[k + 1]; use++) {
        sum = sum + ((const float4*)dy)[(long long)uses[use] * quads + c];
      }
      *to = sum;
    }
    return;
  }
  for (long long i = thread_index(); i < (long long)distinct * columns; i += thread_count()) {
    long long k = quotient(i, columns);
    long long c = i - k * columns;
    float* to = dTable + (long long)ids[k] * columns + c;
    float sum = *to;
    for (int use = starts[k]; use < starts[k + 1]; use++) {
      sum += dy[(long long)uses[use] * columns + c];
    }
    *to = sum;
  }
}
