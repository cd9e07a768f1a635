-- The keys of data subjects, wrapped by a master key. A row without one is a forgotten subject.

CREATE TABLE IF NOT EXISTS data_keys (
    subject text COLLATE "C" PRIMARY KEY,
    master text COLLATE "C",
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    forgotten_at timestamptz,
    CHECK ((wrapped IS NULL) = (forgotten_at IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (master IS NULL))
);

-- Which master keys wrap any of them, by their fingerprints.
CREATE TABLE IF NOT EXISTS master_keys (
    fingerprint text COLLATE "C" PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
