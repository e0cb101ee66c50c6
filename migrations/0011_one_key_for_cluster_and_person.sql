-- The person of a face is that of its cluster: one key says it, where two keys and an index of their own
-- cost half as much again for every face that a bootstrap moves.

-- Nobody writes between what follows and the key.
LOCK TABLE person_detection, cluster IN ACCESS EXCLUSIVE MODE;

-- None is known; where there is one, the key below could not be made.
UPDATE person_detection d SET person_id = c.person_id FROM cluster c
  WHERE c.collection_id = d.collection_id AND c.id = d.cluster_id AND c.person_id <> d.person_id;

-- In this order it finds the clusters of a person as well, which had an index of their own.
ALTER TABLE cluster ADD CONSTRAINT cluster_with_person UNIQUE (collection_id, person_id, id);
DROP INDEX cluster_person;
ALTER TABLE person_detection
  DROP CONSTRAINT person_detection_collection_id_cluster_id_fkey,
  DROP CONSTRAINT person_detection_collection_id_person_id_fkey;
-- Where a cluster gets another person, its faces follow in the same statement.
ALTER TABLE person_detection
  ADD CONSTRAINT person_detection_cluster_and_person FOREIGN KEY (collection_id, person_id, cluster_id)
    REFERENCES cluster (collection_id, person_id, id);
-- The faces of a person are those of its clusters.
DROP INDEX person_detection_person;

-- Few clusters have a face that somebody chose, and no index need say so of the others.
DROP INDEX cluster_representative;
CREATE INDEX cluster_representative ON cluster (collection_id, representative_detection_id)
  WHERE representative_detection_id IS NOT NULL;
