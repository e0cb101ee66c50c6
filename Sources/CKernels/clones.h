#ifndef CKERNELS_CLONES_H
#define CKERNELS_CLONES_H

// One source, compiled for several instruction sets, chosen once when the program is loaded.
// Feature names are used because `arch=` names fall back to the default on virtual machines.
// Not under the sanitizers: the choice runs while the program is being linked, before a
// sanitizer's runtime is ready, and its instrumentation would crash there.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define KERNEL_SANITIZED
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(KERNEL_SANITIZED)
#define KERNEL_CLONES __attribute__((target_clones("default", "fma", "avx512f")))
#else
#define KERNEL_CLONES
#endif

// Eight lanes; wider than a register on most CPUs, so that the compiler splits it as it likes.
// Lanes never mix before the final reduction, hence the split cannot change a result.
typedef double kernel_doubles __attribute__((vector_size(64), may_alias));
typedef float kernel_floats __attribute__((vector_size(32), may_alias));

// Fixed reduction tree over four accumulators of eight lanes.
#define KERNEL_REDUCE(s0, s1, s2, s3, result)                                                      \
  do {                                                                                             \
    kernel_doubles sum_ = ((s0) + (s1)) + ((s2) + (s3));                                           \
    (result) = ((sum_[0] + sum_[4]) + (sum_[2] + sum_[6])) +                                       \
               ((sum_[1] + sum_[5]) + (sum_[3] + sum_[7]));                                        \
  } while (0)

#endif
