-- What a bootstrap writes again and again costs less.

-- Vectors do not compress; trying to costs more than writing them.
ALTER TABLE cluster
  ALTER COLUMN centroid_sum SET STORAGE EXTERNAL,
  ALTER COLUMN centroid SET STORAGE EXTERNAL,
  ALTER COLUMN reference_centroid SET STORAGE EXTERNAL;
ALTER TABLE hdbscan_run_cluster ALTER COLUMN reference_centroid SET STORAGE EXTERNAL;

-- A face that stays where it is gets new density values from every run. With room for a second version
-- of every row beside the first, that touches no index.
ALTER TABLE person_detection SET (fillfactor = 50);
ALTER TABLE cluster SET (fillfactor = 50);
