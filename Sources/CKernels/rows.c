#include "clones.h"
#include "include/CKernels.h"

// A product with zero is NaN exactly where the value is NaN or infinite; only zeros have no bits but
// the sign.
#define LOOK(NAME, TYPE, BITS, LANES, SIGN)                                                        \
  KERNEL_CLONES                                                                                    \
  kernel_row_state NAME(const TYPE *row, size_t stride) {                                          \
    typedef TYPE values __attribute__((vector_size(64), may_alias));                               \
    typedef BITS bits __attribute__((vector_size(64), may_alias));                                 \
    const values *x = (const values *)row;                                                         \
    values poison = {0};                                                                           \
    bits any = {0};                                                                                \
    for (size_t c = 0; c < stride / LANES; c++) {                                                  \
      poison += x[c] * 0;                                                                          \
      any |= (bits)x[c];                                                                           \
    }                                                                                              \
    TYPE sum = 0;                                                                                  \
    BITS all = 0;                                                                                  \
    for (int lane = 0; lane < LANES; lane++) {                                                     \
      sum += poison[lane];                                                                         \
      all |= any[lane];                                                                            \
    }                                                                                              \
    if (sum != 0) return KERNEL_ROW_NOT_FINITE;                                                    \
    return (all & ~(SIGN)) == 0 ? KERNEL_ROW_ZERO : KERNEL_ROW_SOUND;                              \
  }

LOOK(kernel_look_at_float, float, uint32_t, 16, (uint32_t)1 << 31)
LOOK(kernel_look_at_double, double, uint64_t, 8, (uint64_t)1 << 63)
