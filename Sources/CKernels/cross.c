#include "clones.h"
#include "include/CKernels.h"

// Whole numbers: the order of the additions cannot matter, so the compiler may choose it.
#if defined(__x86_64__) && defined(__linux__) && !defined(KERNEL_SANITIZED)
__attribute__((target_clones("default", "avx2", "avx512bw")))
#endif
int32_t kernel_integer_cross(const int8_t *a, const int8_t *b, size_t stride) {
  int32_t sum = 0;
  for (size_t c = 0; c < stride; c++)
    sum += (int32_t)a[c] * b[stride + c] + (int32_t)a[stride + c] * b[c];
  return sum;
}
