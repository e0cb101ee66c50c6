-- What is looked at again and again is found without reading all of it.

-- The transaction in which the face joined the pool. Who remembers the pool finds by it whom it does
-- not know yet; it means nothing in another cluster, and nothing to anybody else.
ALTER TABLE person_detection ADD COLUMN pooled_in xid8;
CREATE INDEX person_detection_pooled ON person_detection (collection_id, pooled_in)
  WHERE cluster_status IN ('unassigned', 'constrained');

-- Of clusterer_state as it was written: the server compares it, and nobody need read the model to know
-- that it is whole. Absent for runs of older programs.
ALTER TABLE hdbscan_run ADD COLUMN clusterer_state_sha256 bytea;
