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
    metadata json NOT NULL,  -- kept as text: each reader wants it, and writing jsonb out is slow
    command_id uuid GENERATED ALWAYS AS ((metadata ->> 'command_id')::uuid) STORED,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (stream_id, version),
    CHECK (stream_type = split_part(stream_id, '-', 1) AND strpos(stream_id, '-') > 1)
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

CREATE FUNCTION events_last_given() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_global_position_seq;
END;

-- A position is given out before its transaction commits, so a reader must not pass it. Whoever
-- inserts announces, before it is given any position, that all of its own will lie beyond the last
-- one given out by then: by a shared advisory lock, which everybody sees at once and which ends
-- with the transaction, however that ends. Its second key holds 32 bits of that position. Once is
-- enough: a savepoint that takes the lock back takes back that it was announced, too.
CREATE FUNCTION events_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('headwater.announced', true) IS DISTINCT FROM TG_RELID::text THEN
        PERFORM pg_advisory_xact_lock_shared(
            TG_RELID::int, (events_last_given() & 4294967295)::oid::int
        );
        PERFORM set_config('headwater.announced', TG_RELID::text, true);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_are_announced BEFORE INSERT ON events EXECUTE FUNCTION events_announce();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_announced;

-- The announcements of others that are open now: beyond which position each may fill some.
CREATE FUNCTION events_announced(last_given bigint)
RETURNS TABLE (beyond bigint, held_by int) LANGUAGE sql BEGIN ATOMIC
    SELECT last_given - ((last_given - objid::bigint) << 32 >> 32), pid  -- the nearest such position
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = 'events'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid IS DISTINCT FROM pg_backend_pid();
END;

-- The last event below which nobody fills a position any more, and whether open transactions are
-- the reason that it is not a later one. Who reads has to take his snapshot after asking. Always an
-- event: a position that came to nothing may, after a crash, be given out once more.
CREATE FUNCTION events_readable(OUT readable bigint, OUT held_back boolean) LANGUAGE plpgsql AS $$
DECLARE
    last_given bigint := events_last_given();  -- first: who announces later gets later positions
    horizon bigint := least(last_given, (SELECT min(beyond) FROM events_announced(last_given)));
BEGIN
    SELECT coalesce(max(global_position), 0) INTO readable
    FROM events WHERE global_position <= horizon;
    held_back := horizon < last_given;
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

-- From wherever they are called, they mean the tables beside them.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION events_announce() SET search_path = %I', current_schema());
    EXECUTE format('ALTER FUNCTION events_readable() SET search_path = %I', current_schema());
END $$;
