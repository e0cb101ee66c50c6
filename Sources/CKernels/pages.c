#define _GNU_SOURCE
#include "include/CKernels.h"

#include <sys/mman.h>

void kernel_prefer_large_pages(void *start, size_t count) {
#if defined(MADV_HUGEPAGE)
  // A hint: without large pages everything works as well, only slower.
  (void)madvise(start, count, MADV_HUGEPAGE);
#else
  (void)start, (void)count;
#endif
}
