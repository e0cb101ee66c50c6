// PG_DIAG_SQLSTATE is a character macro, which Swift does not import.
#include <libpq-fe.h>
static const int photodb_diag_sqlstate = PG_DIAG_SQLSTATE;
