#include "integer.h"

// Products of one row with all rows of a panel.
static void multiply(const int8_t *row, const int8_t *panel, size_t steps, int32_t sums[PANEL]) {
  for (size_t lane = 0; lane < PANEL; lane++) sums[lane] = 0;
  for (size_t step = 0; step < steps; step++) {
    const int8_t *a = row + step * STEP_BYTES, *b = panel + step * STEP_BYTES;
    for (size_t lane = 0; lane < PANEL; lane++)
      for (size_t c = 0; c < STEP; c++) sums[lane] += a[c] * b[lane * STEP + c];
  }
}

void integer_portable(const kernel_integer_tile *tile, integer_sink *sink) {
  for (size_t i = 0; i < tile->row_count; i++) {
    const int8_t *row = integer_panel(tile->rows, tile->steps, i) + i % PANEL * STEP;
    for (size_t first = 0; first < tile->column_count; first += PANEL) {
      int32_t sums[PANEL];
      multiply(row, integer_panel(tile->columns, tile->steps, first), tile->steps, sums);
      for (size_t lane = 0; lane < PANEL && first + lane < tile->column_count; lane++) {
        size_t j = first + lane;
        if (sink->products) {
          sink->products[i * sink->stride + j] = sums[lane];
        } else if (sums[lane] >= tile->column_half[j] + tile->row_reach[i] ||
                   sums[lane] >= tile->column_reach[j] + tile->row_half[i]) {
          sink->survivors[sink->found++] =
              (kernel_survivor){.row = (uint16_t)i, .column = (uint16_t)j, .product = sums[lane]};
        }
      }
    }
  }
}
