-- Consumer groups: how far each has read the log, and what it has read and nobody has done yet.

CREATE TABLE consumer_groups (
    name text COLLATE "C" PRIMARY KEY,
    types text[] NOT NULL,  -- of the events that it is for
    max_retries int NOT NULL,
    message_timeout double precision NOT NULL,  -- seconds
    position bigint NOT NULL DEFAULT 0,  -- read up to here
    consumers int[] NOT NULL DEFAULT '{}'  -- who may hold events: numbers out of the sequence
);

-- A consumer holds the advisory lock of its number as long as its connection lasts: one whose lock
-- is free has gone, however that came.
CREATE SEQUENCE consumer_numbers AS int CYCLE;

-- A row is gone when its event is done. Whoever changes one of a group holds the group's lock.
CREATE TABLE consumer_group_events (
    group_name text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'in_flight', 'parked')),
    retries int NOT NULL DEFAULT 0,
    consumer int,  -- who has it in flight
    deadline timestamptz,  -- until when
    reason text,  -- why it was given back, or parked
    PRIMARY KEY (group_name, position),
    CHECK ((state = 'in_flight') = (consumer IS NOT NULL AND deadline IS NOT NULL))
);

CREATE INDEX consumer_group_events_waiting ON consumer_group_events (group_name, position)
WHERE state = 'waiting';
CREATE INDEX consumer_group_events_in_flight ON consumer_group_events (group_name, deadline)
WHERE state = 'in_flight';

-- The numbers whose locks are held now.
CREATE FUNCTION consumers_present() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC
    SELECT objid::bigint::int FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = 'consumer_groups'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
END;
