#include "clones.h"
#include "include/CKernels.h"

// Batcher's odd-even merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M):
// which values are compared does not depend on them, so all lanes are sorted at once.
KERNEL_CLONES
void kernel_sort_columns(double *values, size_t count) {
  kernel_doubles *v = (kernel_doubles *)values;
  for (size_t p = 1; p < count; p *= 2)
    for (size_t k = p; k > 0; k /= 2)
      for (size_t j = k % p; j + k < count; j += 2 * k)
        for (size_t i = j; i < j + k && i + k < count; i++)
          if (i / (2 * p) == (i + k) / (2 * p)) {
            const kernel_doubles low = v[i], high = v[i + k];
            v[i] = __builtin_elementwise_min(low, high);
            v[i + k] = __builtin_elementwise_max(low, high);
          }
}
