#ifndef PHOTODB_MIGRATIONS_H
#define PHOTODB_MIGRATIONS_H

#include <stddef.h>

/// One file of the folder `migrations`, as it was when the program was built.
typedef struct {
  /// The file's name, such as `0001_collections_and_faces.sql`.
  const char *name;
  /// The file's bytes; no zero follows.
  const unsigned char *bytes;
  /// The number of bytes.
  size_t length;
} photodb_migration;

/// How many files there are.
size_t photodb_migration_count(void);

/// File `index`, from 0 to the count less one, in the order in which they apply.
photodb_migration photodb_migration_at(size_t index);

#endif
