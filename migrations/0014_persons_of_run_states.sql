-- Whose each cluster was when its run was left: a later run may have put it under somebody else. Not known of
-- states that were kept before; these leave persons as they are.
ALTER TABLE hdbscan_run_cluster ADD person_id bigint;
-- The cluster was held when the run was last put back, and kept another shape: what is here still waits.
ALTER TABLE hdbscan_run_cluster ADD passed_over boolean NOT NULL DEFAULT false;
-- The last action of a human that the state includes.
ALTER TABLE hdbscan_run_state ADD last_action_id bigint;
-- Faces that could not go back to where the run had them when it was last put back, because a cluster was held or
-- something forbade it, and the last event of that; where nothing happened to them since, it still waits.
ALTER TABLE hdbscan_run_state ADD passed_over bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE hdbscan_run_state ADD restored_event_id bigint;
-- Faces of which the state still says what an earlier one said, as they were passed over, and what that includes.
ALTER TABLE hdbscan_run_state ADD kept_ids bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE hdbscan_run_state ADD kept_event_id bigint;
ALTER TABLE hdbscan_run_state ADD kept_action_id bigint;
