#ifndef CKERNELS_INTEGER_AVX512_H
#define CKERNELS_INTEGER_AVX512_H

#include "integer.h"

#include <immintrin.h>

// What kernels with registers of 512 bits do with 16 finished sums.

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

// Notes the pairs of row i with columns j + l, for each bit l that is set; values[l] are their sums.
static inline __attribute__((always_inline)) void
keep_pairs(integer_sink *sink, size_t i, size_t j, __mmask16 kept, const int32_t *values) {
  for (uint32_t left = kept; left != 0; left &= left - 1) {
    uint32_t lane = (uint32_t)__builtin_ctz(left);
    sink->survivors[sink->found++] = (kernel_survivor){
        .row = (uint16_t)i, .column = (uint16_t)(j + lane), .product = values[lane]};
  }
}

AVX512 static inline __attribute__((always_inline)) void
screen_sums(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j,
            __mmask16 valid, __m512i sum) {
  __m512i first = _mm512_add_epi32(_mm512_loadu_si512(tile->column_half + j),
                                   _mm512_set1_epi32(tile->row_reach[i]));
  __m512i second = _mm512_add_epi32(_mm512_loadu_si512(tile->column_reach + j),
                                    _mm512_set1_epi32(tile->row_half[i]));
  __mmask16 kept =
      _mm512_mask_cmp_epi32_mask(valid, sum, _mm512_min_epi32(first, second), _MM_CMPINT_NLT);
  if (__builtin_expect(kept != 0, 0)) {
    int32_t values[PANEL];
    _mm512_storeu_si512(values, sum);
    keep_pairs(sink, i, j, kept, values);
  }
}

// Sums of row i with columns j, j + 1, ...; those beyond the last column are dropped.
AVX512 static inline __attribute__((always_inline)) void
finish_sums(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j, __m512i sum) {
  size_t left = tile->column_count - j;
  __mmask16 valid = left >= PANEL ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1);
  if (sink->products)
    _mm512_mask_storeu_epi32(sink->products + i * sink->stride + j, valid, sum);
  else
    screen_sums(tile, sink, i, j, valid, sum);
}

#endif
