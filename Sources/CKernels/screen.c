#include "clones.h"
#include "include/CKernels.h"

// Columns looked at together. Nearly every group has no survivor, so the common path is compares
// and one test a group. Of a group with survivors only parts that have some are looked at one by
// one.
enum { GROUP = 64, PART = 16 };

#define SCREEN_ROW(NAME, TYPE)                                                                     \
  KERNEL_CLONES                                                                                    \
  size_t NAME(const TYPE *products, const TYPE *column_half, const TYPE *column_reach,             \
              TYPE row_half, TYPE row_reach, size_t begin, size_t end, uint32_t *survivors) {      \
    size_t found = 0;                                                                              \
    size_t j = begin;                                                                              \
    for (; j + GROUP <= end; j += GROUP) {                                                         \
      const TYPE *g = products + j, *half = column_half + j, *reach = column_reach + j;            \
      int any = 0;                                                                                 \
      for (int c = 0; c < GROUP; c++)                                                              \
        any |= (g[c] - half[c] >= row_reach) | (g[c] - reach[c] >= row_half);                      \
      if (__builtin_expect(any, 0)) {                                                              \
        for (uint32_t c = 0; c < GROUP; c += PART) {                                               \
          int some = 0;                                                                            \
          for (uint32_t k = c; k < c + PART; k++)                                                  \
            some |= (g[k] - half[k] >= row_reach) | (g[k] - reach[k] >= row_half);                 \
          if (!some) continue;                                                                     \
          for (uint32_t k = c; k < c + PART; k++) {                                                \
            survivors[found] = (uint32_t)j + k;                                                    \
            found += (size_t)((g[k] - half[k] >= row_reach) | (g[k] - reach[k] >= row_half));      \
          }                                                                                        \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
    for (; j < end; j++) {                                                                         \
      if ((products[j] - column_half[j] >= row_reach) |                                            \
          (products[j] - column_reach[j] >= row_half))                                             \
        survivors[found++] = (uint32_t)j;                                                          \
    }                                                                                              \
    return found;                                                                                  \
  }

SCREEN_ROW(kernel_screen_row, float)
SCREEN_ROW(kernel_screen_row_integer, int32_t)
