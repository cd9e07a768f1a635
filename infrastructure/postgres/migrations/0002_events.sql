-- The events of all streams. A row is written once: nobody changes or removes one.

CREATE TABLE events (
    global_position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id text COLLATE "C" NOT NULL,
    stream_type text COLLATE "C" NOT NULL,  -- the category
    version int NOT NULL CHECK (version >= 0),
    event_id uuid NOT NULL UNIQUE,
    event_type text COLLATE "C" NOT NULL,
    schema_version int NOT NULL,
    event_data jsonb NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (stream_id, version)
);

CREATE INDEX events_by_type ON events (event_type, global_position);

-- A name of this store that no other has.
CREATE TABLE event_store (id uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO event_store DEFAULT VALUES;

CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are neither changed nor removed'
        USING ERRCODE = 'restrict_violation', HINT = 'Append an event that makes up for it.';
END $$;

CREATE TRIGGER events_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON events
EXECUTE FUNCTION events_refuse_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_immutable;

-- A position is given out before its transaction commits, so a reader must not pass it. Whoever
-- inserts announces, before it is given any position, that all of its own will lie beyond the last
-- one given out by then: by a shared advisory lock, which everybody sees at once and which ends
-- with the transaction, however that ends. Its second key holds 32 bits of that position.
CREATE FUNCTION events_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        TG_RELID::int, (events_last_given() & 4294967295)::oid::int
    );
    RETURN NULL;
END $$;

CREATE FUNCTION events_last_given() RETURNS bigint LANGUAGE sql AS $$
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_global_position_seq
$$;

CREATE TRIGGER events_are_announced BEFORE INSERT ON events EXECUTE FUNCTION events_announce();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_announced;

-- The announcements of others that are open now: beyond which position each may fill some.
CREATE FUNCTION events_announced(last_given bigint)
RETURNS TABLE (beyond bigint, held_by int) LANGUAGE sql AS $$
    SELECT last_given - ((last_given - objid::bigint) << 32 >> 32), pid  -- the nearest such position
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = 'events'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid IS DISTINCT FROM pg_backend_pid()
$$;

-- Up to here nobody fills a position any more. Who reads has to take his snapshot after asking.
CREATE FUNCTION events_readable() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last_given bigint := events_last_given();  -- first: who announces later gets later positions
BEGIN
    RETURN least(last_given, (SELECT min(beyond) FROM events_announced(last_given)));
END $$;

CREATE FUNCTION events_rouse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('events_' || TG_RELID, '');
    RETURN NULL;
END $$;

CREATE TRIGGER events_rouse_readers AFTER INSERT ON events EXECUTE FUNCTION events_rouse();

-- An append stands whole or not at all.
CREATE FUNCTION events_whole(added bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF added <> wanted THEN
        RAISE EXCEPTION 'only % of % events could be added', added, wanted
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN true;
END $$;
