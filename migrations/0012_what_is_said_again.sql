-- What an action says of a row, kept also where it was so before: who takes an earlier action back does not take
-- this one's word back with it.
ALTER TABLE human_action_change ADD said text;

CREATE INDEX human_action_undoes ON human_action (collection_id, undoes) WHERE undoes IS NOT NULL;
