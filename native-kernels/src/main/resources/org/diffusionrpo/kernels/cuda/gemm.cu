// Factors of a product whose operands were scaled: C = alpha / (sa sb) A B + beta C.

extern "C" __global__ void __launch_bounds__(1) gemm_factors(float* __restrict__ factors,
    const float* __restrict__ scaleA, const float* __restrict__ scaleB, float alpha, float beta) {
  factors[0] = alpha / *scaleA / *scaleB; // their product may be out of range where the quotient is not
  factors[1] = beta;
}
