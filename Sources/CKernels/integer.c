#include "integer.h"

#include <pthread.h>
#include <string.h>

// One entry a kernel, in the order of `kernel_integer_kind`; a new instruction set adds one.
typedef struct {
  integer_kernel *run;
  integer_closer_kernel *closer;
  int (*available)(void);
} integer_entry;

static int always(void) { return 1; }

int integer_agrees(integer_kernel *kernel) {
  enum { COUNT = 40, STEPS = 19, PANELS = 3 };
  static const size_t bytes = PANELS * STEPS * STEP_BYTES;
  int8_t rows[PANELS * STEPS * STEP_BYTES + 1024], columns[sizeof rows];
  uint32_t state = 1;
  for (size_t i = 0; i < sizeof rows; i++) {
    state = state * 1664525 + 1013904223;
    rows[i] = (int8_t)((int)(state >> 24) % 255 - 127);
    columns[i] = (int8_t)((int)(state >> 16 & 255) % 255 - 127);
  }
  // Lanes beyond the last row are zeros.
  for (size_t i = bytes - STEPS * STEP_BYTES; i < bytes; i++)
    if (i % STEP_BYTES / STEP >= COUNT % PANEL) rows[i] = columns[i] = 0;
  int32_t offsets[PANELS * PANEL] = {0};
  for (size_t row = 0; row < COUNT; row++)
    for (size_t i = 0; i < STEPS * STEP; i++)
      offsets[row] -=
          128 * integer_panel(rows, STEPS, row)[i / STEP * STEP_BYTES + row % PANEL * STEP + i % STEP];
  const kernel_integer_tile tile = {.rows = rows,
                                    .columns = columns,
                                    .steps = STEPS,
                                    .row_count = COUNT,
                                    .column_count = COUNT,
                                    .row_offset = offsets};
  int32_t expected[COUNT * COUNT], found[COUNT * COUNT];
  integer_sink sink = {.products = expected, .stride = COUNT};
  integer_portable(&tile, &sink);
  sink.products = found;
  kernel(&tile, &sink);
  return memcmp(expected, found, sizeof expected) == 0;
}

#if defined(__x86_64__)
// The builtin also asks whether the system saves the wide registers.
static int has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}
static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
#if defined(__linux__)

// Tiles are young and hypervisors save their state for us: they must prove themselves once.
static int amx_state = -1;
static void prove_amx(void) {
  amx_state = has_vnni() && integer_amx_granted() && integer_agrees(integer_amx);
}
static int has_amx(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prove_amx);
  return amx_state == 1;
}

// Rows for which tiles of 32 multiply more nothing than something.
enum { FEW_ROWS = 8 };

static void integer_amx_or_vnni(const kernel_integer_tile *tile, integer_sink *sink) {
  if (tile->row_count <= FEW_ROWS)
    integer_vnni(tile, sink);
  else
    integer_amx(tile, sink);
}
#endif
#endif

static const integer_entry entries[] = {
    [KERNEL_INTEGER_PORTABLE] = {integer_portable, integer_closer, always},
#if defined(__x86_64__)
    [KERNEL_INTEGER_AVX2] = {integer_avx2, integer_closer, has_avx2},
    [KERNEL_INTEGER_VNNI] = {integer_vnni, integer_closer_vnni, has_vnni},
    [KERNEL_INTEGER_AMX_MODEL] = {integer_amx_model, integer_closer, has_avx512},
#if defined(__linux__)
    [KERNEL_INTEGER_AMX] = {integer_amx_or_vnni, integer_closer_vnni, has_amx},
#endif
#endif
};

int kernel_integer_available(kernel_integer_kind kind) {
  return (size_t)kind < sizeof entries / sizeof *entries && entries[kind].run != NULL &&
         entries[kind].available();
}

void kernel_integer_products(kernel_integer_kind kind, const kernel_integer_tile *tile,
                             int32_t *products, size_t stride) {
  integer_sink sink = {.products = products, .stride = stride};
  entries[kind].run(tile, &sink);
}

size_t kernel_integer_screen(kernel_integer_kind kind, const kernel_integer_tile *tile,
                             kernel_survivor *survivors) {
  integer_sink sink = {.survivors = survivors};
  entries[kind].run(tile, &sink);
  return sink.found;
}

size_t kernel_integer_look_closer(kernel_integer_kind kind, const kernel_closer_look *look,
                                  kernel_survivor *pairs, size_t count, double *least) {
  return entries[kind].closer(look, pairs, count, least);
}

void kernel_integer_pack(const int8_t *row, size_t steps, size_t lane, int8_t *panel) {
  int8_t *target = panel + lane * STEP;
  for (size_t step = 0; step < steps; step++)
    __builtin_memcpy(target + step * STEP_BYTES, row + step * STEP, STEP);
}
