-- What is looked at again and again is found without reading all of it.

-- The transaction in which the face joined the pool. Who remembers the pool finds by it whom it does
-- not know yet; it means nothing in another cluster, and nothing to anybody else.
ALTER TABLE person_detection ADD COLUMN pooled_in xid8;
CREATE INDEX person_detection_pooled ON person_detection (collection_id, pooled_in)
  WHERE cluster_status IN ('unassigned', 'constrained');

-- Of clusterer_state as it was written: the server compares it, and nobody need read the model to know
-- that it is whole. Absent for runs of older programs.
ALTER TABLE hdbscan_run ADD COLUMN clusterer_state_sha256 bytea;

-- Numbers do not compress, and a bootstrap keeps others waiting while it tries.
ALTER TABLE hdbscan_run_state
  ALTER COLUMN detection_ids SET STORAGE EXTERNAL,
  ALTER COLUMN cluster_ids SET STORAGE EXTERNAL,
  ALTER COLUMN confidences SET STORAGE EXTERNAL,
  ALTER COLUMN lambdas SET STORAGE EXTERNAL,
  ALTER COLUMN outlier_scores SET STORAGE EXTERNAL,
  ALTER COLUMN assigned_runs SET STORAGE EXTERNAL;
