#include "integer.h"

// One entry a kernel, in the order of `kernel_integer_kind`; a new instruction set adds one.
typedef struct {
  integer_kernel *run;
  int (*available)(void);
} integer_entry;

static int always(void) { return 1; }

#if defined(__x86_64__)
// The builtin also asks whether the system saves the wide registers.
static int has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
static int has_vnni(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
#endif

static const integer_entry entries[] = {
    [KERNEL_INTEGER_PORTABLE] = {integer_portable, always},
#if defined(__x86_64__)
    [KERNEL_INTEGER_AVX2] = {integer_avx2, has_avx2},
    [KERNEL_INTEGER_VNNI] = {integer_vnni, has_vnni},
#endif
};

int kernel_integer_available(kernel_integer_kind kind) {
  return (size_t)kind < sizeof entries / sizeof *entries && entries[kind].available();
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

void kernel_integer_pack(const int8_t *row, size_t steps, size_t lane, int8_t *panel) {
  int8_t *target = panel + lane * STEP;
  for (size_t step = 0; step < steps; step++)
    __builtin_memcpy(target + step * STEP_BYTES, row + step * STEP, STEP);
}
