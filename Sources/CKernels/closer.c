#include "clones.h"
#include "integer.h"

#include <math.h>

// The verdicts are the same whatever computes the sums.
#pragma STDC FP_CONTRACT OFF

// Pairs ahead whose codes are asked for.
enum { AHEAD = 6 };

// Sums over rows of codes: q_a r_b + r_a q_b, which is what second bytes add to a product, times 256; and
// q_a q_b, where it is asked for.
typedef struct {
  int32_t cross, whole;
} code_sums;

typedef code_sums sum_kernel(const int8_t *a, const int8_t *b, size_t stride, int is_whole);

// `sum` gives sums of (q + bias) r and (q_a + bias) q_b.
static inline __attribute__((always_inline)) size_t
look_closer(const kernel_closer_look *look, kernel_survivor *pairs, size_t count, double *least,
            sum_kernel *sum, const double bias, const int is_whole) {
  const size_t bytes = 2 * look->stride;
  size_t kept = 0;
  for (size_t p = 0; p < count; p++) {
    if (p + AHEAD < count) {
      const size_t ahead = (size_t)look->column_entries[pairs[p + AHEAD].column];
      kernel_prefetch(look->column_codes + ahead * bytes, bytes);
    }
    const kernel_survivor pair = pairs[p];
    const kernel_fine_facts a = look->rows[pair.row], b = look->columns[pair.column];
    const code_sums sums = sum(look->row_codes + (size_t)look->row_entries[pair.row] * bytes,
                               look->column_codes +
                                   (size_t)look->column_entries[pair.column] * bytes,
                               look->stride, is_whole);
    const double fine = ((double)sums.cross - bias * (a.sum + b.sum)) * 0x1p-8;
    const double coarse =
        is_whole ? (double)sums.whole - bias * b.coarse_sum : (double)pair.product;
    // What is left out, r_i r_j / 256^2, is at most |r_i/256| |r_j/256|.
    const double square = (a.squares + b.squares) * (1 - 0x1p-38) -
                          2 * (coarse + fine) - 2 * a.size * b.size;
    const double row = look->row_radius[pair.row], column = look->column_radius[pair.column];
    const double lost = a.residual + b.residual, reach = (row > column ? row : column) + lost;
    if (square > reach * reach * (1 + 0x1p-40)) continue;
    const double distance =
        (square > 0 ? sqrt(square) : 0) * (1 - 0x1p-40) - lost * (1 + 0x1p-40);
    const double least_square = distance > 0 ? distance * distance - 0x1p-39 : 0;
    pairs[kept] = pair;
    least[kept++] = least_square > 0 ? least_square * (1 - 0x1p-35) * look->unit : 0;
  }
  return kept;
}

// Whole numbers: the order of the additions cannot matter, so the compiler may choose it.
#if defined(__x86_64__) && defined(__linux__) && !defined(KERNEL_SANITIZED)
__attribute__((target_clones("default", "avx2", "avx512bw")))
#endif
static code_sums sum_portable(const int8_t *a, const int8_t *b, size_t stride, int is_whole) {
  code_sums sums = {0, 0};
  for (size_t c = 0; c < stride; c++)
    sums.cross += (int32_t)a[c] * b[stride + c] + (int32_t)a[stride + c] * b[c];
  if (!is_whole) return sums;
  for (size_t c = 0; c < stride; c++) sums.whole += (int32_t)a[c] * b[c];
  return sums;
}

size_t integer_closer(const kernel_closer_look *look, kernel_survivor *pairs, size_t count,
                      double *least) {
  return look->is_whole ? look_closer(look, pairs, count, least, sum_portable, 0, 1)
                        : look_closer(look, pairs, count, least, sum_portable, 0, 0);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define ALWAYS static inline __attribute__((always_inline))

typedef struct {
  __m512i ab, ba, whole;
} line_sums;

// As in integer_vnni.c one factor becomes unsigned by adding 128.
VNNI ALWAYS line_sums add_line(line_sums sums, __m512i coarse_a, __m512i fine_a,
                               __m512i coarse_b, __m512i fine_b, const int is_whole) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const __m512i shifted_a = _mm512_xor_si512(coarse_a, flip);
  return (line_sums){
      .ab = _mm512_dpbusd_epi32(sums.ab, shifted_a, fine_b),
      .ba = _mm512_dpbusd_epi32(sums.ba, _mm512_xor_si512(coarse_b, flip), fine_a),
      .whole = is_whole ? _mm512_dpbusd_epi32(sums.whole, shifted_a, coarse_b) : sums.whole,
  };
}

// No sum leaves 32 bits: 2 * 255 * 127 * 16384 < 2^31.
VNNI ALWAYS code_sums sum_vnni(const int8_t *a, const int8_t *b, size_t stride,
                               const int is_whole) {
  const __m512i zero = _mm512_setzero_si512();
  line_sums even = {zero, zero, zero}, odd = {zero, zero, zero};
  size_t c = 0;
  for (; c + 128 <= stride; c += 128) {
    even = add_line(even, _mm512_loadu_si512(a + c), _mm512_loadu_si512(a + stride + c),
                    _mm512_loadu_si512(b + c), _mm512_loadu_si512(b + stride + c), is_whole);
    odd = add_line(odd, _mm512_loadu_si512(a + c + 64), _mm512_loadu_si512(a + stride + c + 64),
                   _mm512_loadu_si512(b + c + 64), _mm512_loadu_si512(b + stride + c + 64),
                   is_whole);
  }
  for (; c < stride; c += 64) {
    // Where codes end, fine ones are zero, and so are the products; coarse ones of b as well.
    const __mmask64 rest =
        stride - c < 64 ? ((__mmask64)1 << (stride - c)) - 1 : ~(__mmask64)0;
    even = add_line(even, _mm512_maskz_loadu_epi8(rest, a + c),
                    _mm512_maskz_loadu_epi8(rest, a + stride + c),
                    _mm512_maskz_loadu_epi8(rest, b + c),
                    _mm512_maskz_loadu_epi8(rest, b + stride + c), is_whole);
  }
  return (code_sums){
      .cross = _mm512_reduce_add_epi32(_mm512_add_epi32(
          _mm512_add_epi32(even.ab, even.ba), _mm512_add_epi32(odd.ab, odd.ba))),
      .whole = is_whole ? _mm512_reduce_add_epi32(_mm512_add_epi32(even.whole, odd.whole)) : 0,
  };
}

VNNI size_t integer_closer_vnni(const kernel_closer_look *look, kernel_survivor *pairs,
                                size_t count, double *least) {
  return look->is_whole ? look_closer(look, pairs, count, least, sum_vnni, 128, 1)
                        : look_closer(look, pairs, count, least, sum_vnni, 128, 0);
}
#endif
