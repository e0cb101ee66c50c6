#if defined(__x86_64__)
#include <stdint.h>
#include <string.h>

// Intel AMX in plain C (Intel Architecture Instruction Set Extensions Programming Reference,
// chapter 3), so that the layout of the tiles is proven on processors without it. For tests.

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#define KERNEL integer_amx_model
#define TILES_BEGIN() int8_t tiles_[8][1024]
#define TILES_END() (void)tiles_
#define TILE_ZERO(t) memset(tiles_[t], 0, sizeof tiles_[t])
#define TILE_LOAD(t, p) memcpy(tiles_[t], p, sizeof tiles_[t])
#define TILE_STORE(t, p) memcpy(p, tiles_[t], sizeof tiles_[t])
#define TILE_DOT(c, a, b) model_dot(tiles_[c], tiles_[a], tiles_[b])

static void model_dot(int8_t *c, const int8_t *a, const int8_t *b) {
  int32_t sums[16][16];
  memcpy(sums, c, sizeof sums);
  for (int m = 0; m < 16; m++)
    for (int k = 0; k < 16; k++)
      for (int n = 0; n < 16; n++)
        for (int i = 0; i < 4; i++)
          sums[m][n] += (int32_t)a[m * 64 + 4 * k + i] * b[k * 64 + 4 * n + i];
  memcpy(c, sums, sizeof sums);
}

#include "integer_tiles.h"
#endif
