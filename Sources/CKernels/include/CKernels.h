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

/// Squared Euclidean distance of two double rows.
double kernel_squared_distance_double(const double *a, const double *b, size_t stride);

/// Inner product of two float rows, accumulated in double (each product of floats is exact).
double kernel_dot_float(const float *a, const float *b, size_t stride);

/// Inner product of two double rows.
double kernel_dot_double(const double *a, const double *b, size_t stride);

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

/// Processors that this process is allowed to run on (its affinity mask), at least 1.
size_t kernel_available_processors(void);

#endif
