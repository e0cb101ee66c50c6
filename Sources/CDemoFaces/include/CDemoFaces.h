// The faces that `photodb demo` works on: a safetensors file inside the binary.
#ifndef CDEMOFACES_H
#define CDEMOFACES_H

#include <stddef.h>

// First byte of the file; aligned to 64 bytes and valid for the life of the process.
const void *photodb_demo_faces_bytes(void);

// Length of the file in bytes.
size_t photodb_demo_faces_length(void);

#endif
