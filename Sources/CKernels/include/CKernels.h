#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// Every row given to a kernel starts on a 64-byte boundary and is padded with zeros to `stride`
// scalars, where stride fills whole 64-byte lines (16 floats or 8 doubles).
//
// The distance and product kernels are canonical: one fixed order of operations, without fused
// multiply-add, so that their results are bit-identical on every CPU, symmetric in a and b,
// independent of padding, and equal for a float row and the same values stored as doubles.

/// Squared Euclidean distance of two float rows; differences and sum in double.
double kernel_squared_distance_float(const float *a, const float *b, size_t stride);

/// Whether `kernel_squared_distance_float` surely exceeds a limit; quicker, and may say no (0) in
/// doubt. NaN and infinity as a limit give no.
int kernel_is_beyond_float(const float *a, const float *b, size_t stride, double limit);

/// Squared Euclidean distance of two double rows.
double kernel_squared_distance_double(const double *a, const double *b, size_t stride);

/// Inner product of two float rows, accumulated in double (each product of floats is exact).
double kernel_dot_float(const float *a, const float *b, size_t stride);

/// Inner product of two double rows.
double kernel_dot_double(const double *a, const double *b, size_t stride);

/// Adds rows of a float matrix, each times its weight, to `sum`: `stride` doubles, which may lie anywhere.
///
/// Products and sums in double and in the order of `rows`.
void kernel_add_rows_float(double *sum, const float *base, size_t stride, const int64_t *rows,
                           const double *weights, size_t count);

/// Finds the pairs of one row with columns [begin, end) that screening cannot reject.
///
/// Column j survives when products[j] - column_half[j] >= row_reach
///                    or products[j] - column_reach[j] >= row_half.
/// The arrays hold `end` floats each; -INFINITY as a reach keeps every pair, +INFINITY none.
/// Writes the surviving column indices, ascending, to `survivors` (room for end - begin).
/// Returns how many there are.
size_t kernel_screen_row(const float *products, const float *column_half,
                         const float *column_reach, float row_half, float row_reach, size_t begin,
                         size_t end, uint32_t *survivors);

/// `kernel_screen_row` for integer products; see `kernel_integer_tile` for the ranges.
size_t kernel_screen_row_integer(const int32_t *products, const int32_t *column_half,
                                 const int32_t *column_reach, int32_t row_half, int32_t row_reach,
                                 size_t begin, size_t end, uint32_t *survivors);

/// A way to compute integer products; all give the same integers.
typedef enum {
  KERNEL_INTEGER_PORTABLE = 0,
  KERNEL_INTEGER_AVX2 = 1,
  KERNEL_INTEGER_VNNI = 2,
  /// The AMX kernel over a model of its tiles in plain C; slow, for tests.
  KERNEL_INTEGER_AMX_MODEL = 3,
  KERNEL_INTEGER_AMX = 4,
} kernel_integer_kind;

/// Whether the processor and the system can run a kernel.
int kernel_integer_available(kernel_integer_kind kind);

/// A tile of products of rows of bytes.
///
/// Bytes are in -127...127 and rows have at least one and at most 16384 of them, so that sums are below 2^29.
/// Rows lie in panels of 16: byte c of row r at panel r / 16, offset c / 4 * 64 + r % 16 * 4 + c % 4;
/// every panel is whole, padded with zeros, and the 1024 bytes after the last one are readable.
///
/// `row_offset` is -128 times the sum of each row. Screening keeps (i, j) when its product is at
/// least column_half[j] + row_reach[i] or column_reach[j] + row_half[i]; halves and reaches are
/// within +-2^30 and the sum of any two within 32 bits. All arrays of rows and columns are readable
/// up to the next multiple of 16.
typedef struct {
  const int8_t *rows;
  const int8_t *columns;
  size_t steps;
  size_t row_count;
  size_t column_count;
  const int32_t *row_offset;
  const int32_t *row_half;
  const int32_t *row_reach;
  const int32_t *column_half;
  const int32_t *column_reach;
} kernel_integer_tile;

/// A pair of a tile that screening kept, and its product.
typedef struct {
  uint16_t row;
  uint16_t column;
  int32_t product;
} kernel_survivor;

/// Writes product (i, j) to products[i * stride + j].
void kernel_integer_products(kernel_integer_kind kind, const kernel_integer_tile *tile,
                             int32_t *products, size_t stride);

/// Writes the pairs that screening keeps, in any order; returns how many (room for all pairs).
size_t kernel_integer_screen(kernel_integer_kind kind, const kernel_integer_tile *tile,
                             kernel_survivor *survivors);

/// What rounding a row to bytes lost and kept: |z - q|^2 in double, |q|^2, and the sum of q; and the
/// same with a second byte: |z - q - r/256|^2, |q + r/256|^2, |r/256|^2 and the sum of r.
typedef struct {
  double residual_square;
  int32_t squares;
  int32_t sum;
  double fine_residual_square;
  double fine_squares;
  double fine_size_square;
  int32_t fine_sum;
} kernel_quantised;

/// Writes q = z = (row - centre) * scale, rounded to the nearest integer in -127...127, and after it
/// r = (z - q) * 256, rounded likewise.
///
/// `centre` is padded with zeros to `stride` and aligned to 64 bytes; `codes` has room for
/// 2 * `stride` bytes. The row has at most 16384 columns.
kernel_quantised kernel_quantise_float(const float *row, const double *centre, size_t stride,
                                       double scale, int8_t *codes);

/// As `kernel_quantise_float`, of a row of doubles.
kernel_quantised kernel_quantise_double(const double *row, const double *centre, size_t stride,
                                        double scale, int8_t *codes);

/// What a closer look wants to know of a row of codes: |q + r/256|^2, at least |z - q - r/256|, at
/// least |r/256|, and the sums of r and of q.
typedef struct {
  double squares;
  double residual;
  double size;
  double sum;
  double coarse_sum;
} kernel_fine_facts;

/// A closer look, by second bytes, at pairs of a tile.
///
/// Codes of tile row i are row `row_entries[i]` of `row_codes`, 2 * `stride` bytes each; those of
/// columns likewise. `row_radius` and `column_radius` are limits on |z_i - z_j|; the larger one counts.
/// `unit` is what squares of z are multiplied by to be squared distances. The products of pairs are those of
/// their q, unless `is_whole` says that they are of something else: then q_i q_j is computed as well.
typedef struct {
  size_t stride;
  int is_whole;
  const int8_t *row_codes;
  const int8_t *column_codes;
  const int32_t *row_entries;
  const int32_t *column_entries;
  const kernel_fine_facts *rows;
  const kernel_fine_facts *columns;
  const double *row_radius;
  const double *column_radius;
  double unit;
} kernel_closer_look;

/// Keeps the pairs that a closer look cannot prove to be beyond their limit, in their order, and
/// writes for each a number that its computed squared distance reaches; returns how many are left.
size_t kernel_integer_look_closer(kernel_integer_kind kind, const kernel_closer_look *look,
                                  kernel_survivor *pairs, size_t count, double *least);

/// Writes a row of 4 * steps bytes into lane 0..<16 of a panel.
void kernel_integer_pack(const int8_t *row, size_t steps, size_t lane, int8_t *panel);

typedef enum { KERNEL_ROW_SOUND, KERNEL_ROW_NOT_FINITE, KERNEL_ROW_ZERO } kernel_row_state;

/// Whether a row holds NaN or infinity, or else is all zero.
kernel_row_state kernel_look_at_float(const float *row, size_t stride);
kernel_row_state kernel_look_at_double(const double *row, size_t stride);

/// Sorts each of the columns of `count` rows of `KERNEL_SORTED_LANES` doubles, none of them NaN;
/// aligned to 64 bytes. O(count log^2 count).
void kernel_sort_columns(double *values, size_t count);

enum { KERNEL_SORTED_LANES = 8 };

/// Asks the processor to fetch the 64-byte lines of a range of bytes.
static inline void kernel_prefetch(const void *start, size_t count) {
  for (size_t offset = 0; offset < count; offset += 64)
    __builtin_prefetch((const char *)start + offset);
}

/// Asks the system to back a range of fresh memory by large pages, where it has them: rows that are
/// read in any order then cost no walks through page tables. The range starts at a multiple of
/// `KERNEL_LARGE_PAGE`.
void kernel_prefer_large_pages(void *start, size_t count);

enum { KERNEL_LARGE_PAGE = 1 << 21 };

/// Processors that this process is allowed to run on (its affinity mask), at least 1.
size_t kernel_available_processors(void);

/// Calls `body` once for every index below `count`, on this thread and on those of the utility class, and
/// waits.
///
/// Swift's `concurrentPerform` knows no class: it takes the threads of the default one, which run tasks.
void kernel_apply(size_t count, void *context, void (*body)(void *context, size_t index));

#endif
