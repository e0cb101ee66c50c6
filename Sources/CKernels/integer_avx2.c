#if defined(__x86_64__)
#include "integer.h"

#include <immintrin.h>

// AVX2 multiplies unsigned by signed bytes into saturating sums of two. With |column| as the
// unsigned factor and the row's sign adjusted, each sum is at most 2 * 127 * 127 = 32258, which
// 16 bits hold: nothing saturates and the products are exact.

#define AVX2 __attribute__((target("avx2")))
#define UNROLL _Pragma("clang loop unroll(full)")

// 4 rows times one panel: 8 sums, 4 columns, a row, ones and a product fit the 16 registers.
enum { ROWS = 4, HALVES = 2, LANES = PANEL / HALVES };

AVX2 static inline __attribute__((always_inline)) void
screen(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j, __m256i sum) {
  __m256i first = _mm256_add_epi32(_mm256_loadu_si256((const void *)(tile->column_half + j)),
                                   _mm256_set1_epi32(tile->row_reach[i]));
  __m256i second = _mm256_add_epi32(_mm256_loadu_si256((const void *)(tile->column_reach + j)),
                                    _mm256_set1_epi32(tile->row_half[i]));
  __m256i below = _mm256_cmpgt_epi32(_mm256_min_epi32(first, second), sum);
  uint32_t left = ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(below)) & 0xFF;
  if (__builtin_expect(left != 0, 0)) {
    int32_t values[LANES];
    _mm256_storeu_si256((void *)values, sum);
    for (; left != 0; left &= left - 1) {
      uint32_t lane = (uint32_t)__builtin_ctz(left);
      if (j + lane >= tile->column_count) break;
      sink->survivors[sink->found++] = (kernel_survivor){
          .row = (uint16_t)i, .column = (uint16_t)(j + lane), .product = values[lane]};
    }
  }
}

AVX2 static inline __attribute__((always_inline)) void
store(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j, __m256i sum) {
  int32_t values[LANES];
  _mm256_storeu_si256((void *)values, sum);
  for (size_t lane = 0; lane < LANES && j + lane < tile->column_count; lane++)
    sink->products[i * sink->stride + j + lane] = values[lane];
}

AVX2 static inline __attribute__((always_inline)) void
block(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j) {
  const int8_t *a = integer_panel(tile->rows, tile->steps, i) + i % PANEL * STEP;
  const int8_t *b = integer_panel(tile->columns, tile->steps, j);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[ROWS][HALVES];
  UNROLL for (int r = 0; r < ROWS; r++)
    UNROLL for (int c = 0; c < HALVES; c++) sums[r][c] = _mm256_setzero_si256();
  for (size_t step = 0; step < tile->steps; step++) {
    __m256i columns[HALVES], sizes[HALVES];
    UNROLL for (int c = 0; c < HALVES; c++) {
      columns[c] = _mm256_loadu_si256((const void *)(b + c * LANES * STEP));
      sizes[c] = _mm256_abs_epi8(columns[c]);
    }
    UNROLL for (int r = 0; r < ROWS; r++) {
      int32_t four;
      __builtin_memcpy(&four, a + r * STEP, STEP);
      __m256i row = _mm256_set1_epi32(four);
      UNROLL for (int c = 0; c < HALVES; c++) {
        __m256i pairs = _mm256_maddubs_epi16(sizes[c], _mm256_sign_epi8(row, columns[c]));
        sums[r][c] = _mm256_add_epi32(sums[r][c], _mm256_madd_epi16(pairs, ones));
      }
    }
    a += STEP_BYTES;
    b += STEP_BYTES;
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    if (i + (size_t)r < tile->row_count) {
      UNROLL for (int c = 0; c < HALVES; c++) {
        size_t first = j + (size_t)c * LANES;
        if (sink->products)
          store(tile, sink, i + (size_t)r, first, sums[r][c]);
        else
          screen(tile, sink, i + (size_t)r, first, sums[r][c]);
      }
    }
  }
}

AVX2 void integer_avx2(const kernel_integer_tile *tile, integer_sink *sink) {
  for (size_t i = 0; i < tile->row_count; i += ROWS)
    for (size_t j = 0; j < tile->column_count; j += PANEL) block(tile, sink, i, j);
}
#endif
