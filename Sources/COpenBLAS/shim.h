#include <cblas.h>

// Of LAPACK, which OpenBLAS contains; its C interface is a package of its own. The lengths of the two strings
// come last.
void ssyevd_(const char *job, const char *triangle, const int *n, float *a, const int *lda,
             float *values, float *work, const int *work_count, int *integers,
             const int *integer_count, int *info, unsigned long, unsigned long);
