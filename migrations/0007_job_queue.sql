-- The queue that workers share, and clusters that maintenance found in the pool.

-- A job waits, runs or was given up; one that is done is deleted.
DELETE FROM clustering_job WHERE status IN ('done', 'failed');
ALTER TABLE clustering_job DROP CONSTRAINT clustering_job_status_check;
ALTER TABLE clustering_job
  ADD CONSTRAINT clustering_job_status_check CHECK (status IN ('queued', 'running', 'dead')),
  ADD CONSTRAINT a_running_job_has_a_lease CHECK (
    (status = 'running') = (leased_by IS NOT NULL)
    AND (status = 'running') = (leased_until IS NOT NULL)),
  ADD CONSTRAINT a_dead_job_has_a_reason CHECK (status <> 'dead' OR error IS NOT NULL);

-- Work of one kind waits once in a collection; whoever runs it finds all that came meanwhile.
CREATE UNIQUE INDEX IF NOT EXISTS clustering_job_waits_once ON clustering_job (collection_id, kind)
  WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS clustering_job_leased ON clustering_job (leased_until)
  WHERE status = 'running';

ALTER TABLE cluster DROP CONSTRAINT cluster_origin_check;
ALTER TABLE cluster ADD CONSTRAINT cluster_origin_check CHECK (
  origin IN ('bootstrap', 'pool', 'manual', 'emerging'));
