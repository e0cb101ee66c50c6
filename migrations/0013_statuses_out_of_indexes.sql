-- A face whose status changes while its cluster stays touches no index: a bootstrap makes members of its own
-- out of all that were assigned since the last one, and each of them went into five indexes anew.
-- PostgreSQL looks for that at the columns of keys and predicates, so predicates ask for what seldom changes.

ALTER TABLE person_detection
  -- Nobody decided about it yet.
  ADD COLUMN is_new boolean NOT NULL GENERATED ALWAYS AS (cluster_status IS NULL) STORED,
  ADD COLUMN in_pool boolean NOT NULL GENERATED ALWAYS AS
    (coalesce(cluster_status IN ('unassigned', 'constrained'), false)) STORED,
  -- A question about it is open.
  ADD COLUMN is_pending boolean NOT NULL GENERATED ALWAYS AS
    (coalesce(cluster_status = 'pending', false)) STORED;

DROP INDEX person_detection_new;
DROP INDEX person_detection_pool;
DROP INDEX person_detection_pooled;
CREATE INDEX person_detection_new ON person_detection (collection_id, id) WHERE is_new;
CREATE INDEX person_detection_pool ON person_detection (collection_id, id) WHERE in_pool;
CREATE INDEX person_detection_pooled ON person_detection (collection_id, pooled_in) WHERE in_pool;
CREATE INDEX person_detection_pending ON person_detection (collection_id, id) WHERE is_pending;

-- Else the planner takes half of all faces for new, and nobody counts until many of them have changed. A table
-- that is known to be empty is another matter: keys would be checked by reading all of it.
DO $$ BEGIN
  IF EXISTS (SELECT FROM person_detection) THEN
    ANALYZE person_detection;
  END IF;
END $$;
