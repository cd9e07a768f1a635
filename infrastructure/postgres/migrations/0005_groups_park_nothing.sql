-- What needs a person goes to a parking lot of the service: a group hands out until it is done.
ALTER TABLE consumer_groups DROP COLUMN max_retries;
UPDATE consumer_group_events SET state = 'waiting' WHERE state = 'parked';
ALTER TABLE consumer_group_events
    DROP CONSTRAINT consumer_group_events_state_check,
    ADD CHECK (state IN ('waiting', 'in_flight'));
