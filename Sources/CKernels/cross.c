#include "clones.h"
#include "integer.h"

// Whole numbers: the order of the additions cannot matter, so the compiler may choose it.
#if defined(__x86_64__) && defined(__linux__) && !defined(KERNEL_SANITIZED)
__attribute__((target_clones("default", "avx2", "avx512bw")))
#endif
int32_t integer_cross(const int8_t *a, const int8_t *b, size_t stride) {
  int32_t sum = 0;
  for (size_t c = 0; c < stride; c++)
    sum += (int32_t)a[c] * b[stride + c] + (int32_t)a[stride + c] * b[c];
  return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

typedef struct {
  __m512i ab, ba, a, b;
} cross_sums;

// As in integer_vnni.c one factor becomes unsigned by adding 128; what this adds is summed beside.
// No sum leaves 32 bits: 255 * 127 * 16384 < 2^31.
VNNI static inline __attribute__((always_inline)) cross_sums
add_line(cross_sums sums, __m512i coarse_a, __m512i fine_a, __m512i coarse_b, __m512i fine_b) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  return (cross_sums){
      .ab = _mm512_dpbusd_epi32(sums.ab, _mm512_xor_si512(coarse_a, flip), fine_b),
      .ba = _mm512_dpbusd_epi32(sums.ba, _mm512_xor_si512(coarse_b, flip), fine_a),
      .a = _mm512_dpbusd_epi32(sums.a, flip, fine_a),
      .b = _mm512_dpbusd_epi32(sums.b, flip, fine_b),
  };
}

VNNI int32_t integer_cross_vnni(const int8_t *a, const int8_t *b, size_t stride) {
  const __m512i zero = _mm512_setzero_si512();
  cross_sums sums = {zero, zero, zero, zero};
  size_t c = 0;
  for (; c + 64 <= stride; c += 64)
    sums = add_line(sums, _mm512_loadu_si512(a + c), _mm512_loadu_si512(a + stride + c),
                    _mm512_loadu_si512(b + c), _mm512_loadu_si512(b + stride + c));
  if (c < stride) {
    const __mmask64 rest = ((__mmask64)1 << (stride - c)) - 1;
    sums = add_line(sums, _mm512_maskz_loadu_epi8(rest, a + c),
                    _mm512_maskz_loadu_epi8(rest, a + stride + c),
                    _mm512_maskz_loadu_epi8(rest, b + c),
                    _mm512_maskz_loadu_epi8(rest, b + stride + c));
  }
  return _mm512_reduce_add_epi32(_mm512_sub_epi32(_mm512_add_epi32(sums.ab, sums.ba),
                                                  _mm512_add_epi32(sums.a, sums.b)));
}
#endif
