-- Whose each cluster was when its run was left: a later run may have put it under somebody else.

-- Not known of states that were kept before; these leave persons as they are.
ALTER TABLE hdbscan_run_cluster ADD person_id bigint;
-- The last action of a human that the state includes.
ALTER TABLE hdbscan_run_state ADD last_action_id bigint;
