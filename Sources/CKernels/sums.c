#include "clones.h"
#include "include/CKernels.h"

// A fused multiply-add rounds once instead of twice: it would make results depend on the CPU.
#pragma STDC FP_CONTRACT OFF

// The sum is an array of the caller's, wherever it lies.
typedef double kernel_sums __attribute__((vector_size(64), aligned(8), may_alias));

KERNEL_CLONES
void kernel_add_rows_float(double *sum, const float *base, size_t stride, const int64_t *rows,
                           const double *weights, size_t count) {
  kernel_sums *s = (kernel_sums *)sum;
  for (size_t i = 0; i < count; i++) {
    // Rows of a group lie anywhere: the next one is asked for while this one is added.
    if (i + 1 < count) {
      const float *next = base + (size_t)rows[i + 1] * stride;
      for (size_t column = 0; column < stride; column += 16) __builtin_prefetch(next + column);
    }
    const kernel_floats *x = (const kernel_floats *)(base + (size_t)rows[i] * stride);
    for (size_t c = 0; c < stride / 8; c++)
      s[c] += weights[i] * __builtin_convertvector(x[c], kernel_doubles);
  }
}
