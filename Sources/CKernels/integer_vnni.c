#if defined(__x86_64__)
#include "integer_avx512.h"

// AVX-512 VNNI multiplies unsigned by signed bytes, four at a time, and adds them to 32-bit lanes
// without saturation. Columns become unsigned by adding 128 (a flipped sign bit); sums start at
// -128 times the sum of the row, which takes the offset away again, exactly.

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define UNROLL _Pragma("clang loop unroll(full)")

// 8 rows times 3 panels of columns: 24 sums, 3 columns and a row fit the 32 registers.
enum { ROWS = 8, WIDTH = 3 };

VNNI static inline __attribute__((always_inline)) void
block(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j, const int height,
      const int width) {
  const size_t panel_bytes = tile->steps * STEP_BYTES;
  const int8_t *a = integer_panel(tile->rows, tile->steps, i) + i % PANEL * STEP;
  const int8_t *b = integer_panel(tile->columns, tile->steps, j);
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  __m512i sums[ROWS][WIDTH];
  UNROLL for (int r = 0; r < height; r++)
    UNROLL for (int c = 0; c < width; c++)
      sums[r][c] = _mm512_set1_epi32(tile->row_offset[i + (size_t)r]);
  for (size_t step = 0; step < tile->steps; step++) {
    __m512i columns[WIDTH];
    UNROLL for (int c = 0; c < width; c++)
      columns[c] = _mm512_xor_si512(_mm512_loadu_si512(b + (size_t)c * panel_bytes), flip);
    UNROLL for (int r = 0; r < height; r++) {
      int32_t four;
      __builtin_memcpy(&four, a + r * STEP, STEP);
      __m512i row = _mm512_set1_epi32(four);
      UNROLL for (int c = 0; c < width; c++)
        sums[r][c] = _mm512_dpbusd_epi32(sums[r][c], columns[c], row);
    }
    a += STEP_BYTES;
    b += STEP_BYTES;
  }
  size_t kept = tile->row_count - i < (size_t)height ? tile->row_count - i : (size_t)height;
  UNROLL for (int c = 0; c < width; c++)
    UNROLL for (int r = 0; r < height; r++)
      if ((size_t)r < kept)
        finish_sums(tile, sink, i + (size_t)r, j + (size_t)c * PANEL, sums[r][c]);
}

VNNI static inline __attribute__((always_inline)) void
rows(const kernel_integer_tile *tile, integer_sink *sink, size_t i, const int height) {
  size_t j = 0;
  for (; j + (WIDTH - 1) * PANEL < tile->column_count; j += WIDTH * PANEL)
    block(tile, sink, i, j, height, WIDTH);
  if (j + PANEL < tile->column_count)
    block(tile, sink, i, j, height, 2);
  else if (j < tile->column_count)
    block(tile, sink, i, j, height, 1);
}

VNNI void integer_vnni(const kernel_integer_tile *tile, integer_sink *sink) {
  // One row is a question of a single point, for which seven rows of nothing would be as dear.
  if (tile->row_count == 1) {
    rows(tile, sink, 0, 1);
    return;
  }
  for (size_t i = 0; i < tile->row_count; i += ROWS) rows(tile, sink, i, ROWS);
}
#endif
