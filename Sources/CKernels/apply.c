#include "include/CKernels.h"

#include <stdint.h>

// Of libdispatch, which comes with Swift; its header is not on the path of C targets.
extern void *dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
extern void dispatch_apply_f(size_t iterations, void *queue, void *context,
                             void (*work)(void *context, size_t index));

void kernel_apply(size_t count, void *context, void (*body)(void *context, size_t index)) {
  enum { QOS_CLASS_UTILITY = 0x11 };
  dispatch_apply_f(count, dispatch_get_global_queue(QOS_CLASS_UTILITY, 0), context, body);
}
