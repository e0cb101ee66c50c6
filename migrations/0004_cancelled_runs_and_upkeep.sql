-- Runs that their caller cancelled, and what upkeep has still to look at.

ALTER TABLE hdbscan_run
  DROP CONSTRAINT a_failed_run_has_a_reason,
  ADD CONSTRAINT a_failed_run_has_a_reason CHECK (
    (status IN ('failed', 'cancelled')) = (error IS NOT NULL));

-- True while groups around a face that joined the pool have not been looked for.
ALTER TABLE person_detection ADD COLUMN pool_seed boolean NOT NULL DEFAULT false;
CREATE INDEX person_detection_pool_seed ON person_detection (collection_id, id) WHERE pool_seed;

-- Faces that came or went since the medoid was computed.
ALTER TABLE cluster ADD COLUMN changed_since_medoid integer NOT NULL DEFAULT 0
  CHECK (changed_since_medoid >= 0);
