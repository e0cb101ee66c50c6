// Puts the SQL of the folder `migrations` into the program, so that the installed program is one
// file. A new migration needs two lines here; a test compares the table with the folder.
#include "CMigrations.h"

static const unsigned char collections_and_faces[] = {
#embed "../../migrations/0001_collections_and_faces.sql"
};
static const unsigned char clusters_and_runs[] = {
#embed "../../migrations/0002_clusters_and_runs.sql"
};
static const unsigned char review_and_constraints[] = {
#embed "../../migrations/0003_review_and_constraints.sql"
};
static const unsigned char cancelled_runs_and_upkeep[] = {
#embed "../../migrations/0004_cancelled_runs_and_upkeep.sql"
};
static const unsigned char human_actions_and_run_states[] = {
#embed "../../migrations/0005_human_actions_and_run_states.sql"
};
static const unsigned char people[] = {
#embed "../../migrations/0006_people.sql"
};
static const unsigned char job_queue[] = {
#embed "../../migrations/0007_job_queue.sql"
};
static const unsigned char cheaper_updates[] = {
#embed "../../migrations/0008_cheaper_updates.sql"
};
static const unsigned char quicker_looks[] = {
#embed "../../migrations/0009_quicker_looks.sql"
};
static const unsigned char quicker_clusters[] = {
#embed "../../migrations/0010_quicker_clusters.sql"
};
static const unsigned char one_key_for_cluster_and_person[] = {
#embed "../../migrations/0011_one_key_for_cluster_and_person.sql"
};
static const unsigned char what_is_said_again[] = {
#embed "../../migrations/0012_what_is_said_again.sql"
};
static const unsigned char statuses_out_of_indexes[] = {
#embed "../../migrations/0013_statuses_out_of_indexes.sql"
};
static const unsigned char persons_of_run_states[] = {
#embed "../../migrations/0014_persons_of_run_states.sql"
};

#define MIGRATION(number, array) {number "_" #array ".sql", array, sizeof(array)}

static const photodb_migration migrations[] = {
    MIGRATION("0001", collections_and_faces),
    MIGRATION("0002", clusters_and_runs),
    MIGRATION("0003", review_and_constraints),
    MIGRATION("0004", cancelled_runs_and_upkeep),
    MIGRATION("0005", human_actions_and_run_states),
    MIGRATION("0006", people),
    MIGRATION("0007", job_queue),
    MIGRATION("0008", cheaper_updates),
    MIGRATION("0009", quicker_looks),
    MIGRATION("0010", quicker_clusters),
    MIGRATION("0011", one_key_for_cluster_and_person),
    MIGRATION("0012", what_is_said_again),
    MIGRATION("0013", statuses_out_of_indexes),
    MIGRATION("0014", persons_of_run_states),
};

size_t photodb_migration_count(void) { return sizeof(migrations) / sizeof(migrations[0]); }

photodb_migration photodb_migration_at(size_t index) { return migrations[index]; }
