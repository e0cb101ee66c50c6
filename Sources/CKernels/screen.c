#include "clones.h"
#include "include/CKernels.h"

// Columns looked at together. Nearly every group has no survivor, so the common path is compares
// and one test a group.
enum { GROUP = 64 };

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
        for (uint32_t c = 0; c < GROUP; c++) {                                                     \
          survivors[found] = (uint32_t)j + c;                                                      \
          found += (size_t)((g[c] - half[c] >= row_reach) | (g[c] - reach[c] >= row_half));        \
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
