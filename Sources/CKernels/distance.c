#include "clones.h"
#include "include/CKernels.h"

// A fused multiply-add rounds once instead of twice: it would make results depend on the CPU.
#pragma STDC FP_CONTRACT OFF

#define WIDEN(lanes) __builtin_convertvector((lanes), kernel_doubles)

#define ACCUMULATE_FLOAT(sum, chunk)                                                               \
  do {                                                                                             \
    kernel_doubles difference_ = WIDEN(x[chunk]) - WIDEN(y[chunk]);                                \
    (sum) += difference_ * difference_;                                                            \
  } while (0)

#define ACCUMULATE_DOUBLE(sum, chunk)                                                              \
  do {                                                                                             \
    kernel_doubles difference_ = x[chunk] - y[chunk];                                              \
    (sum) += difference_ * difference_;                                                            \
  } while (0)

// Chunk c of eight columns always goes to accumulator c mod 4.
#define SUM_OF_CHUNKS(ACCUMULATE, chunks, result)                                                  \
  do {                                                                                             \
    kernel_doubles s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                         \
    size_t c = 0;                                                                                  \
    for (; c + 4 <= (chunks); c += 4) {                                                            \
      ACCUMULATE(s0, c);                                                                           \
      ACCUMULATE(s1, c + 1);                                                                       \
      ACCUMULATE(s2, c + 2);                                                                       \
      ACCUMULATE(s3, c + 3);                                                                       \
    }                                                                                              \
    if (c < (chunks)) ACCUMULATE(s0, c);                                                           \
    if (c + 1 < (chunks)) ACCUMULATE(s1, c + 1);                                                   \
    if (c + 2 < (chunks)) ACCUMULATE(s2, c + 2);                                                   \
    KERNEL_REDUCE(s0, s1, s2, s3, result);                                                         \
  } while (0)

KERNEL_CLONES
double kernel_squared_distance_float(const float *a, const float *b, size_t stride) {
  const kernel_floats *x = (const kernel_floats *)a;
  const kernel_floats *y = (const kernel_floats *)b;
  double result;
  SUM_OF_CHUNKS(ACCUMULATE_FLOAT, stride / 8, result);
  return result;
}

KERNEL_CLONES
double kernel_squared_distance_double(const double *a, const double *b, size_t stride) {
  const kernel_doubles *x = (const kernel_doubles *)a;
  const kernel_doubles *y = (const kernel_doubles *)b;
  double result;
  SUM_OF_CHUNKS(ACCUMULATE_DOUBLE, stride / 8, result);
  return result;
}

#define MULTIPLY_FLOAT(sum, chunk) ((sum) += WIDEN(x[chunk]) * WIDEN(y[chunk]))
#define MULTIPLY_DOUBLE(sum, chunk) ((sum) += x[chunk] * y[chunk])

KERNEL_CLONES
double kernel_dot_float(const float *a, const float *b, size_t stride) {
  const kernel_floats *x = (const kernel_floats *)a;
  const kernel_floats *y = (const kernel_floats *)b;
  double result;
  SUM_OF_CHUNKS(MULTIPLY_FLOAT, stride / 8, result);
  return result;
}

KERNEL_CLONES
double kernel_dot_double(const double *a, const double *b, size_t stride) {
  const kernel_doubles *x = (const kernel_doubles *)a;
  const kernel_doubles *y = (const kernel_doubles *)b;
  double result;
  SUM_OF_CHUNKS(MULTIPLY_DOUBLE, stride / 8, result);
  return result;
}
