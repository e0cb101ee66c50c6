#if defined(__x86_64__) && defined(__linux__)
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,amx-tile,amx-int8")))
#define KERNEL integer_amx
#define TILES_BEGIN() _tile_loadconfig(&whole_tiles)
// Tiles that are in use make every switch of threads dearer.
#define TILES_END() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, p) _tile_loadd(t, p, 64)
#define TILE_STORE(t, p) _tile_stored(t, p, 64)
#define TILE_DOT(c, a, b) _tile_dpbssd(c, a, b)

#include <cpuid.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Palette 1, eight tiles of 16 lines of 64 bytes.
static const struct __attribute__((packed, aligned(64))) {
  uint8_t palette, start_row, reserved[14];
  uint16_t line_bytes[16];
  uint8_t lines[16];
} whole_tiles = {.palette = 1,
                 .line_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                 .lines = {16, 16, 16, 16, 16, 16, 16, 16}};

#include "integer_tiles.h"

// Linux grants the tiles' state to a process that asks for it.
int integer_amx_granted(void) {
  enum { GET_PERMISSIONS = 0x1022, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned tiles = 1u << 24, bytes = 1u << 25;
  if ((d & tiles) == 0 || (d & bytes) == 0) return 0;
  if (syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) != 0) return 0;
  // A filter of system calls may answer "done" and do nothing; the first tile would then end us.
  uint64_t granted = 0;
  return syscall(SYS_arch_prctl, GET_PERMISSIONS, &granted) == 0 && (granted >> TILE_DATA & 1) != 0;
}
#endif
