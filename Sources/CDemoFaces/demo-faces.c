#include "CDemoFaces.h"

#include <stdalign.h>

// `#embed` is C23; Clang offers it in earlier modes as an extension, with a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char alignas(64) faces[] = {
#embed "demo-faces.safetensors"
};

const void *photodb_demo_faces_bytes(void) { return faces; }

size_t photodb_demo_faces_length(void) { return sizeof faces; }
