-- What every arriving face looks at is found without reading all clusters.

-- The transaction that last changed what assignment goes by: person, number of faces, flags, shape.
-- Who remembers the clusters finds by it which to read again; it means nothing in another database
-- cluster, and nothing to anybody else. Every statement of photodb that changes these sets it.
ALTER TABLE cluster ADD COLUMN changed_in xid8;
ALTER TABLE cluster ALTER COLUMN changed_in SET DEFAULT pg_current_xact_id();
CREATE INDEX cluster_changed ON cluster (collection_id, changed_in);
-- What changes a cluster touches an index now; room beside the rows saves none of them.
ALTER TABLE cluster RESET (fillfactor);

-- A row that was deleted shows nothing, so that clusters were is counted here.
ALTER TABLE collection ADD COLUMN clusters_removed bigint NOT NULL DEFAULT 0;
