#include "clones.h"
#include "include/CKernels.h"

#pragma STDC FP_CONTRACT OFF

typedef int32_t quantise_ints __attribute__((vector_size(32), may_alias));
typedef int8_t quantise_bytes __attribute__((vector_size(8), may_alias));
typedef float quantise_floats __attribute__((vector_size(32), may_alias));

#define WIDEN_FLOAT(lanes) __builtin_convertvector((lanes), kernel_doubles)
#define SAME(lanes) (lanes)

// Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, ties to even, in every lane.
#define QUANTISE(NAME, TYPE, VECTOR, TO_DOUBLES)                                                   \
  KERNEL_CLONES                                                                                    \
  kernel_quantised NAME(const TYPE *row, const double *centre, size_t stride, double scale,        \
                        int8_t *codes) {                                                           \
    const VECTOR *x = (const VECTOR *)row;                                                         \
    const kernel_doubles *c = (const kernel_doubles *)centre;                                      \
    const kernel_doubles most = (kernel_doubles){0} + 127.0, shift = (kernel_doubles){0} + 0x1.8p52; \
    kernel_doubles lost = {0}, squares = {0}, sum = {0};                                           \
    kernel_doubles fine_lost = {0}, fine_squares = {0}, fine_size = {0}, fine_sum = {0};           \
    for (size_t i = 0; i < stride / 8; i++) {                                                      \
      kernel_doubles z = (TO_DOUBLES(x[i]) - c[i]) * scale;                                        \
      kernel_doubles clipped =                                                                     \
          __builtin_elementwise_max(__builtin_elementwise_min(z, most), -most);                    \
      kernel_doubles q = (clipped + shift) - shift;                                                \
      kernel_doubles residual = z - q;                                                             \
      lost += residual * residual;                                                                 \
      squares += q * q;                                                                            \
      sum += q;                                                                                    \
      kernel_doubles rest = __builtin_elementwise_max(                                             \
          __builtin_elementwise_min(residual * 256.0, most), -most);                               \
      kernel_doubles r = (rest + shift) - shift;                                                   \
      kernel_doubles fine = r * 0x1p-8;                                                            \
      kernel_doubles fine_residual = residual - fine;                                              \
      fine_lost += fine_residual * fine_residual;                                                  \
      fine_squares += (q + fine) * (q + fine);                                                     \
      fine_size += fine * fine;                                                                    \
      fine_sum += r;                                                                               \
      *(quantise_bytes *)(codes + 8 * i) = __builtin_convertvector(                                \
          __builtin_convertvector(q, quantise_ints), quantise_bytes);                              \
      *(quantise_bytes *)(codes + stride + 8 * i) = __builtin_convertvector(                       \
          __builtin_convertvector(r, quantise_ints), quantise_bytes);                              \
    }                                                                                              \
    kernel_quantised result = {0};                                                                 \
    for (int lane = 0; lane < 8; lane++) {                                                         \
      result.residual_square += lost[lane];                                                        \
      result.squares += (int32_t)squares[lane];                                                    \
      result.sum += (int32_t)sum[lane];                                                            \
      result.fine_residual_square += fine_lost[lane];                                              \
      result.fine_squares += fine_squares[lane];                                                   \
      result.fine_size_square += fine_size[lane];                                                  \
      result.fine_sum += (int32_t)fine_sum[lane];                                                  \
    }                                                                                              \
    return result;                                                                                 \
  }

QUANTISE(kernel_quantise_float, float, quantise_floats, WIDEN_FLOAT)
QUANTISE(kernel_quantise_double, double, kernel_doubles, SAME)
