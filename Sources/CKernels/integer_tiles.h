// The kernel for matrix tiles of 16 rows by 64 bytes (Intel AMX), written over five operations so
// that the processor's and a model of them in plain C run the same source:
//
//   TILES_BEGIN()                    before the first operation of a call
//   TILES_END()                      after the last
//   TILE_ZERO(t), TILE_LOAD(t, p)    p: 16 lines of 64 bytes, one after the other
//   TILE_STORE(t, p)
//   TILE_DOT(c, a, b)                c[m][n] += sum over k, i of a[m][4k + i] * b[k][4n + i]
//
// and KERNEL, the function's name, and TARGET, its instruction sets (AVX-512 at least). Tile numbers
// are constants. A panel of columns is a line of `b` for each step as it lies. Rows are transposed.

#include "integer_avx512.h"

// Steps of a tile, and its bytes.
enum { TILE_STEPS = 16, TILE_BYTES = TILE_STEPS * STEP_BYTES };

#define UNROLL _Pragma("clang loop unroll(full)")

// Transposes 16 x 16 groups of four bytes.
TARGET static void transpose(const int8_t *panel, int8_t *tile) {
  __m512i a[16], b[16];
  UNROLL for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_si512(panel + i * STEP_BYTES);
  UNROLL for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  UNROLL for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    __m512i even = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
    __m512i odd = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xDD);
    __m512i even_below = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    __m512i odd_below = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xDD);
    _mm512_storeu_si512(tile + i * 64, _mm512_shuffle_i32x4(even, even_below, 0x88));
    _mm512_storeu_si512(tile + (i + 4) * 64, _mm512_shuffle_i32x4(odd, odd_below, 0x88));
    _mm512_storeu_si512(tile + (i + 8) * 64, _mm512_shuffle_i32x4(even, even_below, 0xDD));
    _mm512_storeu_si512(tile + (i + 12) * 64, _mm512_shuffle_i32x4(odd, odd_below, 0xDD));
  }
}

// A panel of rows as tiles: line r of tile t holds bytes 64 t ..< 64 t + 64 of row r.
TARGET static void make_rows(const int8_t *panel, size_t steps, int8_t *tiles) {
  size_t step = 0;
  for (; step + TILE_STEPS <= steps; step += TILE_STEPS, tiles += TILE_BYTES)
    transpose(panel + step * STEP_BYTES, tiles);
  if (step < steps) {
    // Zeros here make whatever lies beyond the last step of a column worth nothing.
    int8_t rest[TILE_BYTES] = {0};
    __builtin_memcpy(rest, panel + step * STEP_BYTES, (steps - step) * STEP_BYTES);
    transpose(rest, tiles);
  }
}

TARGET static inline __attribute__((always_inline)) void
finish_tile(const kernel_integer_tile *tile, integer_sink *sink, size_t i, size_t j,
            const int32_t *sums) {
  size_t rows = tile->row_count - i < PANEL ? tile->row_count - i : PANEL;
  for (size_t r = 0; r < rows; r++)
    finish_sums(tile, sink, i + r, j, _mm512_loadu_si512(sums + r * PANEL));
}

TARGET void KERNEL(const kernel_integer_tile *tile, integer_sink *sink) {
  const size_t panel_bytes = tile->steps * STEP_BYTES;
  const size_t depth = (tile->steps + TILE_STEPS - 1) / TILE_STEPS;
  // A line of a tile that lies in two lines of the cache is loaded and stored twice.
  __attribute__((aligned(64))) int8_t rows[2][depth * TILE_BYTES];
  __attribute__((aligned(64))) int32_t sums[4][PANEL * PANEL];
  TILES_BEGIN();
  for (size_t i = 0; i < tile->row_count; i += 2 * PANEL) {
    const int two_rows = i + PANEL < tile->row_count;
    const int8_t *panel = integer_panel(tile->rows, tile->steps, i);
    make_rows(panel, tile->steps, rows[0]);
    make_rows(two_rows ? panel + panel_bytes : panel, tile->steps, rows[1]);
    for (size_t j = 0; j < tile->column_count; j += 2 * PANEL) {
      const int two_columns = j + PANEL < tile->column_count;
      const int8_t *left = integer_panel(tile->columns, tile->steps, j);
      const int8_t *right = two_columns ? left + panel_bytes : left;
      TILE_ZERO(0);
      TILE_ZERO(1);
      TILE_ZERO(2);
      TILE_ZERO(3);
      for (size_t k = 0; k < depth; k++) {
        TILE_LOAD(4, rows[0] + k * TILE_BYTES);
        TILE_LOAD(5, rows[1] + k * TILE_BYTES);
        TILE_LOAD(6, left + k * TILE_BYTES);
        TILE_LOAD(7, right + k * TILE_BYTES);
        TILE_DOT(0, 4, 6);
        TILE_DOT(1, 4, 7);
        TILE_DOT(2, 5, 6);
        TILE_DOT(3, 5, 7);
      }
      TILE_STORE(0, sums[0]);
      TILE_STORE(1, sums[1]);
      TILE_STORE(2, sums[2]);
      TILE_STORE(3, sums[3]);
      finish_tile(tile, sink, i, j, sums[0]);
      if (two_columns) finish_tile(tile, sink, i, j + PANEL, sums[1]);
      if (two_rows) finish_tile(tile, sink, i + PANEL, j, sums[2]);
      if (two_rows && two_columns) finish_tile(tile, sink, i + PANEL, j + PANEL, sums[3]);
    }
  }
  TILES_END();
}
