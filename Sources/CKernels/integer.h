#ifndef CKERNELS_INTEGER_H
#define CKERNELS_INTEGER_H

#include "include/CKernels.h"

// Rows of a panel, and bytes of one row that lie together in it: one register of 512 bits holds
// four columns of all rows of a panel.
enum { PANEL = 16, STEP = 4, STEP_BYTES = PANEL * STEP };

// Where a kernel puts the products of a tile: either all of them, or those that survive screening.
typedef struct {
  int32_t *products;
  size_t stride;
  kernel_survivor *survivors;
  size_t found;
} integer_sink;

typedef void integer_kernel(const kernel_integer_tile *tile, integer_sink *sink);

typedef size_t integer_closer_kernel(const kernel_closer_look *look, kernel_survivor *pairs,
                                     size_t count, double *least);

integer_kernel integer_portable;
integer_closer_kernel integer_closer;
// Whether a kernel computes a small tile as the portable one does.
int integer_agrees(integer_kernel *kernel);
#if defined(__x86_64__)
integer_kernel integer_avx2;
integer_kernel integer_vnni;
integer_closer_kernel integer_closer_vnni;
integer_kernel integer_amx_model;
#if defined(__linux__)
integer_kernel integer_amx;
// Whether the processor has matrix tiles and the system lets this process use them.
int integer_amx_granted(void);
#endif
#endif

// Start of the panel that a row lies in.
static inline const int8_t *integer_panel(const int8_t *panels, size_t steps, size_t row) {
  return panels + row / PANEL * steps * STEP_BYTES;
}

#endif
