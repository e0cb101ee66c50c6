#include "clones.h"
#include "include/CKernels.h"

#include <math.h>

// Sixteen lanes; a fused multiply-add may be used here, for the margin covers both ways.
typedef float beyond_floats __attribute__((vector_size(64), may_alias));
typedef float beyond_quarter __attribute__((vector_size(16)));

KERNEL_CLONES
int kernel_is_beyond_float(const float *a, const float *b, size_t stride, double limit) {
  const beyond_floats *x = (const beyond_floats *)a, *y = (const beyond_floats *)b;
  beyond_floats s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  size_t chunks = stride / 16, c = 0;
  for (; c + 4 <= chunks; c += 4) {
    beyond_floats d0 = x[c] - y[c], d1 = x[c + 1] - y[c + 1];
    beyond_floats d2 = x[c + 2] - y[c + 2], d3 = x[c + 3] - y[c + 3];
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; c < chunks; c++) {
    beyond_floats d = x[c] - y[c];
    s0 += d * d;
  }
  beyond_floats sum = (s0 + s1) + (s2 + s3);
  beyond_quarter four = __builtin_shufflevector(sum, sum, 0, 1, 2, 3) +
                        __builtin_shufflevector(sum, sum, 4, 5, 6, 7);
  four += __builtin_shufflevector(sum, sum, 8, 9, 10, 11) +
          __builtin_shufflevector(sum, sum, 12, 13, 14, 15);
  double total = ((double)four[0] + (double)four[1]) + ((double)four[2] + (double)four[3]);
  // At most stride + 4 roundings of 2^-24 reach any term, and products may underflow. An overflow
  // (infinity) proves nothing.
  double least = total * (1 - (double)(stride + 16) * 0x1p-23) - (double)stride * 0x1p-120;
  return isfinite(total) && least > limit;
}
