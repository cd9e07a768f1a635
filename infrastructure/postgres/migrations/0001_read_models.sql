-- The read models' books. Tables with views come and go with their build.

CREATE TABLE IF NOT EXISTS projection_builds (
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    number int NOT NULL,
    build text COLLATE "C" NOT NULL UNIQUE,  -- the table with its views
    role text NOT NULL,
    shards int NOT NULL,
    paused jsonb,  -- the operator's note, while it is paused
    PRIMARY KEY (name, version, number),
    UNIQUE (name, role) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS projection_checkpoints (
    build text COLLATE "C" NOT NULL,
    shard int NOT NULL,
    position bigint NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (build, shard)
);

CREATE TABLE IF NOT EXISTS projection_runners (
    build text COLLATE "C" NOT NULL,
    shard int NOT NULL,
    holder text,
    leased_until timestamptz,
    state text,
    missing_since timestamptz,
    rate double precision,
    error text,
    reported_at timestamptz,
    failure jsonb,
    PRIMARY KEY (build, shard)
);

CREATE TABLE IF NOT EXISTS projection_skips (
    build text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    note jsonb NOT NULL,
    PRIMARY KEY (build, event_id)
);

CREATE TABLE IF NOT EXISTS projection_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    number int NOT NULL,
    action text NOT NULL,
    note jsonb NOT NULL
);
