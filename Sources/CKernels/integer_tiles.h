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

// Two panels of rows times two of columns whose sums are stored: rows i ..< i + rows, columns j ..< j + 32.
typedef struct {
  size_t i, j, rows;
  const int32_t (*sums)[PANEL * PANEL];
} stored_block;

enum { BLOCK = 2 * PANEL };

// Finishes rows first ..< last of a block.
TARGET static inline __attribute__((always_inline)) void
finish_rows(const kernel_integer_tile *tile, integer_sink *sink, const stored_block *block,
            size_t first, size_t last) {
  const size_t j = block->j, left = tile->column_count - j;
  if (last > block->rows) last = block->rows;
  if (sink->products) {
    for (size_t r = first; r < last; r++) {
      const int32_t *sums = block->sums[r / PANEL * 2] + r % PANEL * PANEL;
      finish_sums(tile, sink, block->i + r, j, _mm512_loadu_si512(sums));
      if (left > PANEL)
        finish_sums(tile, sink, block->i + r, j + PANEL,
                    _mm512_loadu_si512(sums + PANEL * PANEL));
    }
    return;
  }
  // What screen_sums does, with what the rows have in common loaded once: half of the tiles' time was here.
  const uint32_t valid = left >= BLOCK ? 0xFFFFFFFFu : (1u << left) - 1;
  // Readable up to the next multiple of 16 only.
  const size_t k = left > PANEL ? j + PANEL : j;
  const __m512i half_j = _mm512_loadu_si512(tile->column_half + j),
                half_k = _mm512_loadu_si512(tile->column_half + k),
                reach_j = _mm512_loadu_si512(tile->column_reach + j),
                reach_k = _mm512_loadu_si512(tile->column_reach + k);
  const int32_t *row_half = tile->row_half + block->i, *row_reach = tile->row_reach + block->i;
  for (size_t r = first; r < last; r++) {
    const int32_t *sums = block->sums[r / PANEL * 2] + r % PANEL * PANEL;
    const __m512i half = _mm512_set1_epi32(row_half[r]), reach = _mm512_set1_epi32(row_reach[r]);
    const __mmask16 low = _mm512_cmp_epi32_mask(
        _mm512_loadu_si512(sums),
        _mm512_min_epi32(_mm512_add_epi32(half_j, reach), _mm512_add_epi32(reach_j, half)),
        _MM_CMPINT_NLT);
    const __mmask16 high = _mm512_cmp_epi32_mask(
        _mm512_loadu_si512(sums + PANEL * PANEL),
        _mm512_min_epi32(_mm512_add_epi32(half_k, reach), _mm512_add_epi32(reach_k, half)),
        _MM_CMPINT_NLT);
    const uint32_t kept = (low | (uint32_t)high << PANEL) & valid;
    if (__builtin_expect(kept != 0, 0)) {
      keep_pairs(sink, block->i + r, j, (__mmask16)kept, sums);
      keep_pairs(sink, block->i + r, j + PANEL, (__mmask16)(kept >> PANEL), sums + PANEL * PANEL);
    }
  }
}

TARGET void KERNEL(const kernel_integer_tile *tile, integer_sink *sink) {
  const size_t panel_bytes = tile->steps * STEP_BYTES;
  const size_t depth = (tile->steps + TILE_STEPS - 1) / TILE_STEPS;
  if (tile->row_count == 0 || tile->column_count == 0) return;
  // A line of a tile that lies in two lines of the cache is loaded and stored twice.
  __attribute__((aligned(64))) int8_t rows[2][depth * TILE_BYTES];
  __attribute__((aligned(64))) int32_t sums[2][4][PANEL * PANEL];
  // While tiles multiply, the registers finish the block before; the two share no unit but the loads.
  stored_block before = {0, 0, 0, sums[1]};
  const size_t share = (BLOCK + depth - 1) / depth;
  int turn = 0;
  TILES_BEGIN();
  for (size_t i = 0; i < tile->row_count; i += BLOCK) {
    const size_t left = tile->row_count - i;
    const int8_t *panel = integer_panel(tile->rows, tile->steps, i);
    make_rows(panel, tile->steps, rows[0]);
    make_rows(left > PANEL ? panel + panel_bytes : panel, tile->steps, rows[1]);
    for (size_t j = 0; j < tile->column_count; j += BLOCK, turn ^= 1) {
      const int8_t *near = integer_panel(tile->columns, tile->steps, j);
      const int8_t *far = j + PANEL < tile->column_count ? near + panel_bytes : near;
      TILE_ZERO(0);
      TILE_ZERO(1);
      TILE_ZERO(2);
      TILE_ZERO(3);
      for (size_t k = 0; k < depth; k++) {
        TILE_LOAD(4, rows[0] + k * TILE_BYTES);
        TILE_LOAD(5, rows[1] + k * TILE_BYTES);
        TILE_LOAD(6, near + k * TILE_BYTES);
        TILE_LOAD(7, far + k * TILE_BYTES);
        TILE_DOT(0, 4, 6);
        TILE_DOT(1, 4, 7);
        TILE_DOT(2, 5, 6);
        TILE_DOT(3, 5, 7);
        // No tile is loaded before it is asked for; the first rows find the columns in no near cache.
        if (i == 0)
          UNROLL for (int line = 0; line < 2 * PANEL; line++)
            __builtin_prefetch(near + 2 * panel_bytes + (2 * k * PANEL + (size_t)line) * 64);
        finish_rows(tile, sink, &before, k * share, (k + 1) * share);
      }
      TILE_STORE(0, sums[turn][0]);
      TILE_STORE(1, sums[turn][1]);
      TILE_STORE(2, sums[turn][2]);
      TILE_STORE(3, sums[turn][3]);
      before = (stored_block){i, j, left < BLOCK ? left : BLOCK, sums[turn]};
    }
  }
  TILES_END();
  finish_rows(tile, sink, &before, 0, BLOCK);
}
